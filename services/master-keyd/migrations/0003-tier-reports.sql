-- What each master and region last said of itself. Old reports stay: their age is the news.
CREATE TABLE tier_report (
  spiffe_id text COLLATE "C" PRIMARY KEY,
  role      text NOT NULL CHECK (role IN ('master', 'region')),
  heard_at  timestamptz NOT NULL,
  report    jsonb NOT NULL
);
