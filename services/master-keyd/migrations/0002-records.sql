CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;

-- What was handed out: written before the keys are released. Records are found by peer, scope date, access key and
-- time; there is no running number, because numbers commit out of order.
CREATE TABLE issuance (
  id             uuid PRIMARY KEY,
  issued_at      timestamptz NOT NULL,
  peer           text COLLATE "C" NOT NULL,
  region         text COLLATE "C" NOT NULL,
  scope_date     text COLLATE "C" NOT NULL CHECK (scope_date ~ '^[0-9]{8}$'),
  access_key_ids text[] NOT NULL CHECK (cardinality(access_key_ids) > 0),
  absent_count   integer NOT NULL CHECK (absent_count >= 0),
  master         text NOT NULL,
  request_id     text NOT NULL
);
CREATE INDEX issuance_by_peer ON issuance (peer, scope_date, issued_at);
CREATE INDEX issuance_by_region ON issuance (region, issued_at, scope_date);
CREATE INDEX issuance_by_scope_date ON issuance (scope_date);
CREATE INDEX issuance_by_access_key ON issuance USING gin (access_key_ids);
CREATE TRIGGER issuance_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON issuance
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What operators changed: written in the transaction of the change.
CREATE TABLE operator_action (
  id            uuid PRIMARY KEY,
  at            timestamptz NOT NULL,
  spiffe_id     text NOT NULL,
  action        text NOT NULL,
  access_key_id text COLLATE "C" NOT NULL,
  detail        jsonb NOT NULL,
  request_id    text NOT NULL
);
CREATE INDEX operator_action_by_access_key ON operator_action (access_key_id, at);
CREATE INDEX operator_action_by_time ON operator_action (at);
CREATE TRIGGER operator_action_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_action
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
