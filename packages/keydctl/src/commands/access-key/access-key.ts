import { defineGroup } from '../../command-line/group.js';
import { create } from './create.js';
import { deleteForGood } from './delete.js';
import { disable } from './disable.js';
import { enable } from './enable.js';
import { expire } from './expire.js';
import { importExisting } from './import.js';
import { list } from './list.js';
import { pin, unpin } from './pin.js';
import { restrict } from './restrict.js';
import { rotate } from './rotate.js';
import { show } from './show.js';

export const accessKey = defineGroup({
  name: 'access-key',
  summary: 'the access keys that clients sign with; asks master-keyd',
  commands: [create, importExisting, list, show, enable, disable, expire, restrict, rotate, pin, unpin, deleteForGood],
  examples: ['keydctl access-key create --owner ci --expires 90d', 'keydctl access-key list'],
});
