-- What is left of each region's budget, for all masters together. Masters draw portions of it, so that a row changes
-- seldom; half of each page stays free for its next versions.
CREATE TABLE peer_budget (
  spiffe_id   text COLLATE "C" PRIMARY KEY,
  keys        double precision NOT NULL,
  requests    double precision NOT NULL,
  at          timestamptz NOT NULL,
  day         integer NOT NULL, -- days since 1970, UTC
  keys_of_day double precision NOT NULL
) WITH (fillfactor = 50);
