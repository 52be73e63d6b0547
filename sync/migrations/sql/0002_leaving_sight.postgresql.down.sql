DROP TRIGGER sync_loss_committed ON sync_loss;
DROP FUNCTION sync_loss_committed();
DROP TRIGGER sync_visit_left ON visits_visit;
DROP FUNCTION sync_visit_left();
DROP TRIGGER sync_access_ended ON objects_objectaccess;
DROP FUNCTION sync_access_ended();
DROP TRIGGER sync_object_moved ON objects_object;
DROP FUNCTION sync_object_moved();
