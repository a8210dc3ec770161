-- Temporary credentials are access keys that end soon, made of another one. Their secret goes when they end; the row
-- stays for as long as acceptances are kept, so that reports can tell whose they were.
ALTER TABLE access_key
  ADD COLUMN parent_id text COLLATE "C" REFERENCES access_key (id),
  ADD COLUMN session_name text CHECK (session_name ~ '^[A-Za-z0-9_+=,.@-]{2,64}$'),
  ADD CONSTRAINT access_key_session CHECK (
    CASE WHEN parent_id IS NULL THEN session_name IS NULL ELSE id LIKE 'ASIA%' AND expires_at IS NOT NULL END
  );
CREATE INDEX access_key_by_parent ON access_key (parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX access_key_session_end ON access_key (expires_at) WHERE parent_id IS NOT NULL;
