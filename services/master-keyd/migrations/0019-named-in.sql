-- The version of the first beacon that names the statement: whoever holds that one or a later one has heard of it. 0 for
-- statements from before, which have long been heard of.
ALTER TABLE revocation_statement ADD COLUMN named_in bigint NOT NULL DEFAULT 0 CHECK (named_in >= 0);
