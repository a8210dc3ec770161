/** A crowd that one machine cannot play: what is told in place of a figure. */
export class CrowdTooLarge extends Error {
  override readonly name = 'CrowdTooLarge';
}
