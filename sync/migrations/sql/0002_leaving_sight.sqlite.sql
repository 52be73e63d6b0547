CREATE TRIGGER sync_object_moved AFTER UPDATE OF city_id, district_id ON objects_object
WHEN NEW.city_id IS NOT OLD.city_id OR NEW.district_id IS NOT OLD.district_id
BEGIN
  UPDATE crm_feed_clock SET value = value + 1 WHERE id = 1;
  INSERT INTO sync_loss (object_id, visit_id, user_id, city_id, district_id, began, position, at)
  SELECT OLD.id, NULL, NULL, OLD.city_id, OLD.district_id, coalesce((SELECT max(l.position) FROM sync_loss l WHERE l.object_id = OLD.id AND l.user_id IS NULL AND l.visit_id IS NULL), 0),
    (SELECT value FROM crm_feed_clock WHERE id = 1), replace(strftime('%Y-%m-%d %H:%M:%f000', 'now'), '.000000', '');
  UPDATE objects_unit SET feed_position = -1 WHERE object_id = NEW.id AND deleted_at IS NULL;
  UPDATE clients_customer SET feed_position = -1 WHERE object_id = NEW.id AND deleted_at IS NULL;
  UPDATE visits_visit SET feed_position = -1 WHERE object_id = NEW.id AND deleted_at IS NULL;
END;
-- end of statement
CREATE TRIGGER sync_access_ended AFTER UPDATE ON objects_objectaccess
WHEN (OLD.live_visits > 0 OR OLD.responsible) AND NOT (NEW.live_visits > 0 OR NEW.responsible)
BEGIN
  INSERT INTO sync_loss (object_id, visit_id, user_id, city_id, district_id, began, position, at)
  SELECT OLD.object_id, NULL, OLD.user_id, NULL, NULL, OLD.feed_position, NEW.feed_position, replace(strftime('%Y-%m-%d %H:%M:%f000', 'now'), '.000000', '');
END;
-- end of statement
CREATE TRIGGER sync_visit_left AFTER UPDATE OF engineer_id, object_id ON visits_visit
WHEN NEW.engineer_id IS NOT OLD.engineer_id OR NEW.object_id IS NOT OLD.object_id
BEGIN
  UPDATE crm_feed_clock SET value = value + 1 WHERE id = 1;
  INSERT INTO sync_loss (object_id, visit_id, user_id, city_id, district_id, began, position, at) SELECT OLD.object_id, OLD.id, OLD.engineer_id, o.city_id, o.district_id, 0, (SELECT value FROM crm_feed_clock WHERE id = 1), replace(strftime('%Y-%m-%d %H:%M:%f000', 'now'), '.000000', '') FROM objects_object o WHERE o.id = OLD.object_id UNION ALL SELECT OLD.object_id, OLD.id, OLD.engineer_id, e.city_id, e.district_id, 0, (SELECT value FROM crm_feed_clock WHERE id = 1), replace(strftime('%Y-%m-%d %H:%M:%f000', 'now'), '.000000', '') FROM (SELECT DISTINCT l.city_id, l.district_id FROM sync_loss l WHERE l.object_id = OLD.object_id AND l.user_id IS NULL AND l.visit_id IS NULL AND l.at > OLD.created_at AND NEW.object_id <> OLD.object_id) e;
END;
