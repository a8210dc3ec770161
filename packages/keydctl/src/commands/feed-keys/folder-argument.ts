/** Where the keys of the feed are kept unless another folder is named. */
export const FEED_KEYS_FOLDER = 'feed-keys';

export const folderPositional = [
  '[folder]',
  `folder that keydctl feed-keys create made; default ${FEED_KEYS_FOLDER}`,
] as const;
