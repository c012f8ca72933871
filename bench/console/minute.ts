import { startServer } from '../../test/support/server.ts';
import { type Part, row } from './rows.ts';

/* The first minute of somebody who has just started a server, by machine: nothing but what is pressed. */

/** Presses what is called so, as soon as it is there. */
const press = (within: string, name: string): string => `new Promise((resolve) => {
  const look = () => {
    const found = [...document.querySelectorAll('${within} :is(a, button)')].find((one) => one.textContent.trim() === '${name}' && one.getAttribute('aria-disabled') !== 'true');
    if (found === undefined) requestAnimationFrame(look);
    else { found.click(); resolve(null); }
  };
  look();
})`;
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

export const minute: Part = async ({ page }) => {
  const server = await startServer();
  try {
    const begun = performance.now();
    await page.painted(`${server.url}/console/`, 'main h1');
    const steps = [
      ['main', 'Open the playground'],
      ['main', 'Run the order example'],
      ...['stock', 'credit', 'shipping'].map((name) => [`article[aria-label="${name} is asked"]`, 'Proceed'] as const),
    ] as const;
    for (const [within, name] of steps) await page.evaluate(press(within, name));
    await page.evaluate(`new Promise((resolve) => {
      const look = () => [...document.querySelectorAll('main h2, main h3')].some((one) => one.textContent === 'What you have seen') ? resolve(null) : requestAnimationFrame(look);
      look();
    })`);
    return [
      row('first minute, from the address to what was seen', performance.now() - begun, 20_000, 20_000, seconds),
      row('first minute: what is pressed', steps.length, 5, 5, String),
    ];
  } finally {
    await server.stop();
  }
};
