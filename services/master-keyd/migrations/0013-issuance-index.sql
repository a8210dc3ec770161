-- A page of a whole day names thousands of access keys. Put into their places in the index one page at a time, they would
-- take longer than all else that a page waits for: they wait in a list (which look-ups read, too), and the masters
-- have the list put in its places every few seconds, outside of any issuance.
ALTER INDEX issuance_by_access_key SET (gin_pending_list_limit = 65536);
