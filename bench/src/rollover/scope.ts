/** Of the region and the edges that are measured. */
export const REGION = 'us-east-1';
export const SERVICE = 's3';
