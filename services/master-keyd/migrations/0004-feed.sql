-- What was signed stays as it was signed. Positions are given out under the lock of the row below, one after the other
-- and without gaps: whoever has read up to one knows that nothing is to come before it.
CREATE TABLE revocation_statement (
  position  integer PRIMARY KEY CHECK (position >= 0),
  digest    text COLLATE "C" NOT NULL UNIQUE CHECK (digest ~ '^[0-9a-f]{64}$'),
  id        uuid NOT NULL UNIQUE,
  kind      text NOT NULL CHECK (kind IN ('revocation', 'lift')),
  -- Of a lift: the statement that it takes back. One is enough.
  lifts     text COLLATE "C" UNIQUE REFERENCES revocation_statement (digest),
  incident  text NOT NULL,
  -- The last day: how long the statement is kept in the feed hangs on it.
  last_date text COLLATE "C" NOT NULL CHECK (last_date ~ '^[0-9]{8}$'),
  signed_at timestamptz NOT NULL,
  jws       text NOT NULL,
  CHECK ((kind = 'lift') = (lifts IS NOT NULL))
);
CREATE INDEX revocation_statement_by_incident ON revocation_statement (incident);
CREATE TRIGGER revocation_statement_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON revocation_statement
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An identity is banned while the last of its events says so; steps are given out under the same lock.
CREATE TABLE identity_ban_event (
  spiffe_id text COLLATE "C" NOT NULL,
  step      integer NOT NULL CHECK (step >= 0),
  action    text NOT NULL CHECK (action IN ('ban', 'unban')),
  reason    text,
  author    text COLLATE "C" NOT NULL,
  at        timestamptz NOT NULL,
  PRIMARY KEY (spiffe_id, step),
  CHECK ((action = 'ban') = (reason IS NOT NULL))
);
CREATE TRIGGER identity_ban_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON identity_ban_event
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The newest beacon and the counter of all. Whoever changes the feed locks this row first.
CREATE TABLE feed_beacon (
  only_row  boolean PRIMARY KEY CHECK (only_row),
  version   bigint NOT NULL CHECK (version >= 0),
  signed_at timestamptz NOT NULL,
  jws       text NOT NULL
);
INSERT INTO feed_beacon (only_row, version, signed_at, jws) VALUES (true, 0, '1970-01-01T00:00:00Z', '');

-- Operators now act on more than access keys.
ALTER TABLE operator_action
  ALTER COLUMN access_key_id DROP NOT NULL,
  ADD COLUMN statement_digest text COLLATE "C",
  ADD COLUMN identity text COLLATE "C",
  ADD CONSTRAINT operator_action_subject CHECK (
    num_nonnulls(access_key_id, statement_digest, identity) = CASE action WHEN 'resume-after-restore' THEN 0 ELSE 1 END
  );
CREATE INDEX operator_action_by_statement ON operator_action (statement_digest) WHERE statement_digest IS NOT NULL;
CREATE INDEX operator_action_by_identity ON operator_action (identity, at) WHERE identity IS NOT NULL;
