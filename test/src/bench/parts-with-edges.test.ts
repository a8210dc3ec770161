import { toldWhole } from './told-whole.js';

toldWhole('attack');
toldWhole('cold-start');
