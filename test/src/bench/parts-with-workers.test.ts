import { toldWhole } from './told-whole.js';

toldWhole('cores');
