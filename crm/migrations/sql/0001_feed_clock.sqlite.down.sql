DROP TABLE crm_feed_clock
