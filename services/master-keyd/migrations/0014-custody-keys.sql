-- One sealed constant for each key that secrets may be sealed with. The one from before keys had names gets its name
-- from the first master that opens it.
ALTER TABLE custody_check
  DROP COLUMN only_row,
  ADD COLUMN key_id text COLLATE "C" UNIQUE CHECK (key_id ~ '^[0-9a-f]{16}$');

-- Some deeds of operators have no one subject.
ALTER TABLE operator_action
  DROP CONSTRAINT operator_action_subject,
  ADD CONSTRAINT operator_action_subject CHECK (
    num_nonnulls(access_key_id, statement_digest, identity) =
      CASE WHEN action IN ('resume-after-restore', 'rotate-custody-key') THEN 0 ELSE 1 END
  );
