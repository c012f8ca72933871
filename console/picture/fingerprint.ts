/** A message with what differs from one time to the next replaced: numbers, ids, quoted parts. Equal prints are one problem. */
export const fingerprint = (message: string): string =>
  message
    .slice(0, 500)
    .replace(/\d{8}-\d{4}-[a-z]+-[a-z]+/g, '‹workflow›')
    .replace(/\b[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\b/gi, '‹id›')
    .replace(/"[^"]*"|'[^']*'/g, '‹…›')
    .replace(/\d+(?:\.\d+)?/g, '‹n›');
