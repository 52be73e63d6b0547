CREATE TABLE crm_feed_clock (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  value INTEGER NOT NULL,
  keeping INTEGER NOT NULL DEFAULT 0,
  deriving INTEGER NOT NULL DEFAULT 0
)
-- end of statement
INSERT INTO crm_feed_clock (id, value) VALUES (1, 0)
