-- Access keys whose keys of a new day are fetched by every tier of their scope without having been used there.
ALTER TABLE access_key ADD COLUMN pinned boolean NOT NULL DEFAULT false;
CREATE INDEX access_key_pinned ON access_key (id) WHERE pinned;
