-- What was handed out: the canonical text of the record is all there is. Every other column is read out of it by the
-- database, so that none can say anything else. Records of regions to edges (kService) stand beside our own (kRegion).
CREATE FUNCTION record_instant(record text) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
  -- Immutable, whatever the cast is in general: the text always ends in Z.
  $$ SELECT (record::jsonb ->> 'at')::timestamptz $$;
CREATE FUNCTION record_access_key_ids(record text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
  $$ SELECT array_agg(id ORDER BY place) FROM jsonb_array_elements_text(record::jsonb -> 'accessKeyIds')
       WITH ORDINALITY AS listed (id, place) $$;

CREATE TABLE issuance_record (
  record         text NOT NULL,
  issuer         text COLLATE "C" GENERATED ALWAYS AS (record::jsonb ->> 'from') STORED NOT NULL,
  id             text COLLATE "C" GENERATED ALWAYS AS (record::jsonb ->> 'id') STORED NOT NULL,
  issued_at      timestamptz GENERATED ALWAYS AS (record_instant(record)) STORED NOT NULL,
  rung           text COLLATE "C" GENERATED ALWAYS AS (record::jsonb ->> 'rung') STORED NOT NULL
                   CHECK (rung IN ('kRegion', 'kService')),
  peer           text COLLATE "C" GENERATED ALWAYS AS (record::jsonb ->> 'to') STORED NOT NULL,
  region         text COLLATE "C" GENERATED ALWAYS AS (record::jsonb ->> 'region') STORED NOT NULL,
  service        text COLLATE "C" GENERATED ALWAYS AS (record::jsonb ->> 'service') STORED,
  scope_date     text COLLATE "C" GENERATED ALWAYS AS (record::jsonb ->> 'date') STORED NOT NULL
                   CHECK (scope_date ~ '^[0-9]{8}$'),
  access_key_ids text[] GENERATED ALWAYS AS (record_access_key_ids(record)) STORED NOT NULL
                   CHECK (cardinality(access_key_ids) > 0),
  request_id     text GENERATED ALWAYS AS (record::jsonb ->> 'requestId') STORED NOT NULL,
  PRIMARY KEY (issuer, id),
  CHECK ((rung = 'kService') = (service IS NOT NULL))
);

-- Records from before the ledger, in their canonical text: no part of them needs escaping.
INSERT INTO issuance_record (record)
SELECT '{"accessKeyIds":['
    || (SELECT string_agg('"' || key || '"', ',' ORDER BY key COLLATE "C") FROM unnest(access_key_ids) AS key)
    || '],"at":"' || to_char(issued_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    || '","date":"' || scope_date || '","from":"' || master || '","id":"' || id || '","region":"' || region
    || '","requestId":"' || request_id || '","rung":"kRegion","to":"' || peer || '","v":1}'
  FROM issuance;
DROP TABLE issuance;
ALTER TABLE issuance_record RENAME TO issuance;
ALTER INDEX issuance_record_pkey RENAME TO issuance_pkey;

CREATE INDEX issuance_by_peer ON issuance (rung, peer, scope_date, issued_at);
CREATE INDEX issuance_by_region ON issuance (region, rung, issued_at, scope_date);
CREATE INDEX issuance_by_scope_date ON issuance (scope_date);
CREATE INDEX issuance_by_access_key ON issuance USING gin (access_key_ids);
CREATE TRIGGER issuance_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON issuance
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Records that are no leaves yet, with the leaf hash of what was recorded. A record enters in its own transaction and
-- leaves in that of its leaf: whenever it commits, the sequencer finds it.
CREATE TABLE ledger_pending (
  issuer    text COLLATE "C" NOT NULL,
  id        text COLLATE "C" NOT NULL,
  issued_at timestamptz NOT NULL,
  leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
  PRIMARY KEY (issuer, id),
  FOREIGN KEY (issuer, id) REFERENCES issuance
);

-- Which record is which leaf.
CREATE TABLE ledger_leaf (
  leaf   bigint PRIMARY KEY CHECK (leaf >= 0),
  issuer text COLLATE "C" NOT NULL,
  id     text COLLATE "C" NOT NULL,
  UNIQUE (issuer, id),
  FOREIGN KEY (issuer, id) REFERENCES issuance
);
CREATE TRIGGER ledger_leaf_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_leaf
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The hashes of the tree in tiles of 256 (C2SP tlog-tiles), 32 bytes each.
CREATE TABLE ledger_tile (
  level  integer NOT NULL CHECK (level >= 0),
  place  bigint NOT NULL CHECK (place >= 0),
  hashes bytea NOT NULL CHECK (octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0),
  PRIMARY KEY (level, place)
);

-- The newest checkpoint and the right edge of its tree.
CREATE TABLE ledger_head (
  only_row boolean PRIMARY KEY CHECK (only_row),
  size     bigint NOT NULL CHECK (size >= 0),
  frontier text NOT NULL,
  note     text NOT NULL
);

INSERT INTO ledger_pending (issuer, id, issued_at, leaf_hash)
SELECT issuer, id, issued_at, sha256('\x00'::bytea || convert_to(record, 'UTF8')) FROM issuance;

-- How far the journal of each region was taken. A refusal stays until records are taken again.
CREATE TABLE region_journal (
  peer       text COLLATE "C" NOT NULL,
  journal    text COLLATE "C" NOT NULL,
  begun_at   timestamptz NOT NULL,
  next_seq   bigint NOT NULL CHECK (next_seq > 0),
  hash       text COLLATE "C" NOT NULL,
  refusal    text CHECK (refusal IN ('journal-gap', 'journal-fork')),
  refused_at timestamptz,
  PRIMARY KEY (peer, journal),
  CHECK ((refusal IS NULL) = (refused_at IS NULL))
);

-- Each record's place in the journal that it came from, and the chain's hash there.
CREATE TABLE journal_entry (
  peer      text COLLATE "C" NOT NULL,
  journal   text COLLATE "C" NOT NULL,
  seq       bigint NOT NULL CHECK (seq > 0),
  hash      text COLLATE "C" NOT NULL,
  record_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (peer, journal, seq),
  FOREIGN KEY (peer, journal) REFERENCES region_journal,
  FOREIGN KEY (peer, record_id) REFERENCES issuance
);
CREATE TRIGGER journal_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entry
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
