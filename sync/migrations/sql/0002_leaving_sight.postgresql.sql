CREATE FUNCTION sync_object_moved() RETURNS trigger LANGUAGE plpgsql AS $moved$
BEGIN
  -- Waits for whoever is hanging something on the object right now, and makes later ones wait: their row
  -- would else be neither stamped here nor stamped late enough by themselves.
  PERFORM 1 FROM objects_object WHERE id = NEW.id FOR UPDATE;
  INSERT INTO sync_loss (object_id, visit_id, user_id, city_id, district_id, began, position, at)
  VALUES (OLD.id, NULL, NULL, OLD.city_id, OLD.district_id, coalesce((SELECT max(l.position) FROM sync_loss l WHERE l.object_id = OLD.id AND l.user_id IS NULL AND l.visit_id IS NULL), 0),
    pg_current_xact_id()::text::bigint, clock_timestamp());
  UPDATE objects_unit r SET feed_position = -1 FROM (SELECT id FROM objects_unit WHERE object_id = NEW.id AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE) s WHERE r.id = s.id;
  UPDATE clients_customer r SET feed_position = -1 FROM (SELECT id FROM clients_customer WHERE object_id = NEW.id AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE) s WHERE r.id = s.id;
  UPDATE visits_visit r SET feed_position = -1 FROM (SELECT id FROM visits_visit WHERE object_id = NEW.id AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE) s WHERE r.id = s.id;
  RETURN NULL;
END $moved$;
CREATE TRIGGER sync_object_moved AFTER UPDATE OF city_id, district_id ON objects_object
  FOR EACH ROW WHEN (NEW.city_id <> OLD.city_id OR NEW.district_id IS DISTINCT FROM OLD.district_id)
  EXECUTE FUNCTION sync_object_moved();

CREATE FUNCTION sync_access_ended() RETURNS trigger LANGUAGE plpgsql AS $ended$
BEGIN
  INSERT INTO sync_loss (object_id, visit_id, user_id, city_id, district_id, began, position, at)
  VALUES (OLD.object_id, NULL, OLD.user_id, NULL, NULL, OLD.feed_position, NEW.feed_position,
    clock_timestamp());
  RETURN NULL;
END $ended$;
CREATE TRIGGER sync_access_ended AFTER UPDATE ON objects_objectaccess
  FOR EACH ROW WHEN ((OLD.live_visits > 0 OR OLD.responsible)
    AND NOT (NEW.live_visits > 0 OR NEW.responsible))
  EXECUTE FUNCTION sync_access_ended();

CREATE FUNCTION sync_visit_left() RETURNS trigger LANGUAGE plpgsql AS $left$
BEGIN
  INSERT INTO sync_loss (object_id, visit_id, user_id, city_id, district_id, began, position, at) SELECT OLD.object_id, OLD.id, OLD.engineer_id, o.city_id, o.district_id, 0, pg_current_xact_id()::text::bigint, clock_timestamp() FROM objects_object o WHERE o.id = OLD.object_id UNION ALL SELECT OLD.object_id, OLD.id, OLD.engineer_id, e.city_id, e.district_id, 0, pg_current_xact_id()::text::bigint, clock_timestamp() FROM (SELECT DISTINCT l.city_id, l.district_id FROM sync_loss l WHERE l.object_id = OLD.object_id AND l.user_id IS NULL AND l.visit_id IS NULL AND l.at > OLD.created_at AND NEW.object_id <> OLD.object_id) e;
  RETURN NULL;
END $left$;
CREATE TRIGGER sync_visit_left AFTER UPDATE OF engineer_id, object_id ON visits_visit
  FOR EACH ROW WHEN (NEW.engineer_id <> OLD.engineer_id OR NEW.object_id <> OLD.object_id)
  EXECUTE FUNCTION sync_visit_left();

-- Others hang rows on the object until this transaction ends, and their readers see them until then: so the
-- moment is that of the commit, not that of the statement.
CREATE FUNCTION sync_loss_committed() RETURNS trigger LANGUAGE plpgsql AS $committed$
BEGIN
  UPDATE sync_loss SET at = clock_timestamp() WHERE id = NEW.id;
  RETURN NULL;
END $committed$;
CREATE CONSTRAINT TRIGGER sync_loss_committed AFTER INSERT ON sync_loss DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION sync_loss_committed();
