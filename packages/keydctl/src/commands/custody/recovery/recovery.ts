import { defineGroup } from '../../../command-line/group.js';
import { create } from './create.js';
import { restore } from './restore.js';
import { show } from './show.js';

export const recovery = defineGroup({
  name: 'recovery',
  summary: 'a lost custody key is had back from shares of a recovery key',
  commands: [create, show, restore],
  examples: [
    'keydctl custody recovery create --shares 5 --threshold 3',
    'keydctl custody recovery restore --wrapped wrapped.txt share-1.txt share-4.txt share-5.txt',
  ],
});
