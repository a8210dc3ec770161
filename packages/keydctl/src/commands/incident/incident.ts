import { defineGroup } from '../../command-line/group.js';
import { report } from './report.js';

export const incident = defineGroup({
  name: 'incident',
  summary: 'what an incident has touched, and what is good; asks master-keyd',
  commands: [report],
  examples: ['keydctl incident report --region us-east-1 --from 2026-11-01'],
});
