DROP TRIGGER users_user_keep ON users_user;
DROP FUNCTION users_user_keep();
