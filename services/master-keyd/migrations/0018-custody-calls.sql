-- What a master asks an external signer for: recorded before it asks, so that a call of which there is no row here was
-- made by somebody else. Kept for some weeks.
CREATE TABLE custody_call (
  id         uuid PRIMARY KEY,
  asked_at   timestamptz NOT NULL,
  master     text COLLATE "C" NOT NULL,
  want       text COLLATE "C" NOT NULL CHECK (want IN ('kDate', 'publicKey', 'seal')),
  scope_date text COLLATE "C" CHECK (scope_date ~ '^[0-9]{8}$'),
  asked      integer NOT NULL CHECK (asked > 0),
  CHECK ((want = 'kDate') = (scope_date IS NOT NULL))
);
CREATE INDEX custody_call_by_time ON custody_call (asked_at);
CREATE TRIGGER custody_call_unchanged BEFORE UPDATE OR TRUNCATE ON custody_call
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
