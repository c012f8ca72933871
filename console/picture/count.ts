/** `12,345`, as `Intl` says it in English: that is loaded when it is first asked, which takes longer than a page has for its first picture. */
export const countText = (count: number): string =>
  Number.isInteger(count) && Math.abs(count) < 1e15
    ? String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
    : count.toLocaleString('en-US');
