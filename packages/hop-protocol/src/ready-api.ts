/** GET: 204 when the tier can do its work, else 'not-ready' with the reasons. For those below who may ask another. */
export const READY_PATH = '/v1/ready';
