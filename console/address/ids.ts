/** Longest text that may be an id or an address with one. */
const ID_MAX = 4_000;

/** Where a pasted id leads, or null when it is none: a workflow, an expression, a workitem, a proceed_url, a message. */
export function addressOfId(pasted: string): { readonly word: string; readonly to: string } | null {
  if (pasted.length > ID_MAX) return null;
  const text = pasted.replaceAll('%21', '!');
  const workflow = '(\\d{8}-\\d{4}-[a-z]+-[a-z]+)';
  const expression = '(\\d+(?:_\\d+)*![0-9a-f]{32})';
  const message = new RegExp(`msg_${expression}!${workflow}_[a-z]+`).exec(text);
  if (message !== null) return { word: `Message to ${message[1]} of ${message[2]}`, to: `/deliveries/${message[0]}` };
  const item = new RegExp(`${expression}!${workflow}`).exec(text);
  if (item !== null) return { word: `Workitem ${item[1]} of ${item[2]}`, to: `/workflows/${item[2]}?sel=${item[1]}` };
  const inPath = new RegExp(`/workflows/${workflow}(?:/expressions/${expression})?`).exec(text);
  const found = inPath ?? new RegExp(`^${workflow}$`).exec(text);
  if (found === null) return null;
  const sel = found[2] === undefined ? '' : `?sel=${found[2]}`;
  return { word: `Workflow ${found[1]}`, to: `/workflows/${found[1]}${sel}` };
}
