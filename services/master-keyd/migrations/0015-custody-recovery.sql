-- Custody keys, wrapped for the recovery key: lines of text that its shares open. They stay after a rotation, for the
-- backups from before it.
CREATE TABLE custody_recovery (
  key_id          text COLLATE "C" NOT NULL CHECK (key_id ~ '^[0-9a-f]{16}$'),
  recovery_key_id text COLLATE "C" NOT NULL CHECK (recovery_key_id ~ '^[0-9a-f]{16}$'),
  made_at         timestamptz NOT NULL,
  line            text NOT NULL,
  PRIMARY KEY (key_id, recovery_key_id)
);
