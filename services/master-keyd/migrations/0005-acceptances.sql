-- What edges have accepted: a row an access key, edge, scope date and minute, however many requests there were. A
-- minute's counts come in several roll-ups; their sum is in the row. A partition holds a UTC day of minutes.
CREATE TABLE acceptance (
  minute        timestamptz NOT NULL,
  scope_date    text COLLATE "C" NOT NULL CHECK (scope_date ~ '^[0-9]{8}$'),
  region        text COLLATE "C" NOT NULL,
  service       text COLLATE "C" NOT NULL,
  access_key_id text COLLATE "C" NOT NULL,
  edge          text COLLATE "C" NOT NULL,
  mechanism     text COLLATE "C" NOT NULL CHECK (mechanism IN ('header', 'presigned')),
  count         bigint NOT NULL CHECK (count > 0),
  first_at      timestamptz NOT NULL,
  last_at       timestamptz NOT NULL CHECK (last_at >= first_at),
  PRIMARY KEY (access_key_id, scope_date, edge, mechanism, minute)
) PARTITION BY RANGE (minute);

-- The same by scope date alone: what the incident report reads. Written in the transaction of the minutes.
CREATE TABLE acceptance_day (
  scope_date    text COLLATE "C" NOT NULL,
  region        text COLLATE "C" NOT NULL,
  service       text COLLATE "C" NOT NULL,
  access_key_id text COLLATE "C" NOT NULL,
  edge          text COLLATE "C" NOT NULL,
  count         bigint NOT NULL CHECK (count > 0),
  first_at      timestamptz NOT NULL,
  last_at       timestamptz NOT NULL,
  PRIMARY KEY (scope_date, region, service, access_key_id, edge)
);
CREATE INDEX acceptance_day_by_access_key ON acceptance_day (access_key_id, scope_date);

-- Every batch that was taken, so that one that comes again is not counted again.
CREATE TABLE acceptance_batch (
  edge        text COLLATE "C" NOT NULL,
  id          uuid NOT NULL,
  region      text COLLATE "C" NOT NULL,
  service     text COLLATE "C" NOT NULL,
  received_at timestamptz NOT NULL,
  -- Roll-ups that never came: where there are any, counts are lower bounds.
  dropped     bigint NOT NULL CHECK (dropped >= 0),
  PRIMARY KEY (edge, id)
);
CREATE INDEX acceptance_batch_by_time ON acceptance_batch (received_at);
CREATE INDEX acceptance_batch_with_dropped ON acceptance_batch (received_at) WHERE dropped > 0;
