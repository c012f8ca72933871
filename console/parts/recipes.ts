/* The recipes of the cookbook as templates; their texts are loaded with this file, which is loaded when somebody wants one. */

export type Recipe = { readonly name: string; readonly title: string; readonly about: string; readonly text: string };

const TEXTS = import.meta.glob<string>('../../examples/recipes/*.radial', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** By title. */
export const RECIPES: readonly Recipe[] = Object.entries(TEXTS)
  .map(([path, text]) => {
    const [title = '', about = ''] = text.split('\n').map((line) => line.replace(/^#\s*/, ''));
    return { name: path.replace(/^.*\/|\.radial$/g, ''), title, about, text };
  })
  .sort((a, b) => (a.title < b.title ? -1 : 1));
