DROP INDEX visits_visit_search;
