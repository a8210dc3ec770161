-- Access key ids are ASCII: the order of lists and of pages is that of their bytes.
CREATE TABLE access_key (
  id            text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_]{3,128}$'),
  owner         text NOT NULL,
  status        text NOT NULL CHECK (status IN ('enabled', 'disabled', 'deleted')),
  created_at    timestamptz NOT NULL,
  expires_at    timestamptz,
  -- Absent: all of them.
  regions       text[] CHECK (cardinality(regions) > 0),
  services      text[] CHECK (cardinality(services) > 0),
  -- Of the secret. The seal holds for this id and version only.
  version       integer NOT NULL CHECK (version > 0),
  sealed_secret bytea,
  -- A deleted access key keeps its row, so that its id never returns, and loses its secret.
  CHECK ((status = 'deleted') = (sealed_secret IS NULL))
);
CREATE INDEX access_key_by_owner ON access_key (owner, id);

-- One sealed constant: tells at start whether the custody key is the one that the secrets were sealed with.
CREATE TABLE custody_check (
  only_row boolean PRIMARY KEY CHECK (only_row),
  sealed   bytea NOT NULL
);
