-- What deputies may have: kDate of the days from first_date to last_date. A grant is never changed but by withdrawing it.
CREATE TABLE deputy_grant (
  id           uuid PRIMARY KEY,
  deputy       text COLLATE "C" NOT NULL,
  first_date   text COLLATE "C" NOT NULL CHECK (first_date ~ '^[0-9]{8}$'),
  last_date    text COLLATE "C" NOT NULL CHECK (last_date ~ '^[0-9]{8}$'),
  reason       text NOT NULL,
  author       text COLLATE "C" NOT NULL,
  at           timestamptz NOT NULL,
  withdrawn_by text COLLATE "C",
  withdrawn_at timestamptz,
  CHECK (first_date <= last_date),
  CHECK ((withdrawn_by IS NULL) = (withdrawn_at IS NULL))
);
CREATE INDEX deputy_grant_in_force ON deputy_grant (deputy, last_date) WHERE withdrawn_at IS NULL;
CREATE FUNCTION refuse_grant_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.withdrawn_at IS NULL
     AND (NEW.id, NEW.deputy, NEW.first_date, NEW.last_date, NEW.reason, NEW.author, NEW.at)
         = (OLD.id, OLD.deputy, OLD.first_date, OLD.last_date, OLD.reason, OLD.author, OLD.at)
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a grant is only ever withdrawn';
END
$$;
CREATE TRIGGER deputy_grant_withdrawn_only BEFORE UPDATE ON deputy_grant
  FOR EACH ROW EXECUTE FUNCTION refuse_grant_change();
CREATE TRIGGER deputy_grant_kept BEFORE DELETE OR TRUNCATE ON deputy_grant
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- kDate is good in every region: its records name none.
ALTER TABLE issuance
  DROP CONSTRAINT issuance_rung,
  ALTER COLUMN region DROP NOT NULL,
  ADD CONSTRAINT issuance_rung CHECK (rung IN ('kDate', 'kRegion', 'kService', 'kSigning', 'publicKey')),
  ADD CONSTRAINT issuance_region CHECK ((rung = 'kDate') = (region IS NULL));

ALTER TABLE tier_report
  DROP CONSTRAINT tier_report_role_check,
  ADD CONSTRAINT tier_report_role_check CHECK (role IN ('master', 'deputy', 'region'));
