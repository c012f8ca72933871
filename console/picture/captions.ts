import { captionIn, type Place, placeAt } from './figure.ts';
import { parentOf } from './layout.ts';

/* What stands in a place, said with what is known: the element its branch is about, and what its call has given to the sub-process. */

/**
 * @param text what is written: a title, a caption
 * @param elementOf the element of the branch that is shown of a crowd; null: it is not known
 */
export function saidIn(root: Place, expid: string, text: string, elementOf: (around: Place) => string | null): string {
  let said = text;
  for (let up = parentOf(expid); up !== '' && said.includes('${'); up = parentOf(up)) {
    const around = placeAt(root, up);
    if (around === null) continue;
    if (around.kind === 'crowd' || around.head === 'iterator') {
      const element = elementOf(around);
      if (element !== null) said = captionIn(around, element, said);
    } else if (around.calls !== '') said = givenBy(around, said);
  }
  return said;
}

/** With the variables that a call gives to its body, but for those the body sets itself. */
function givenBy(call: Place, text: string): string {
  let said = text;
  const body = JSON.stringify(call.children.map(({ json }) => json));
  for (const [key, value] of call.attributes) {
    if (typeof value !== 'string' || value.includes('${')) continue;
    const name = key.startsWith('v:') ? key.slice(2) : key;
    if (name.includes(':') || body.includes(`"${name}"`) || body.includes(`"v:${name}"`)) continue;
    said = said.replaceAll(`\${v:${name}}`, () => value);
  }
  return said;
}
