CREATE TABLE event(id INTEGER PRIMARY KEY, value INTEGER, body BLOB);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
INSERT INTO event SELECT i, (i * 7919) % 10007, zeroblob(3000) FROM n;
UPDATE event SET value = value + 1 WHERE id % 10 = 0;
SELECT count(*), sum(value) FROM event;
