import { later } from './later.tsx';

/** The field in which a tree is edited, loaded when it is wanted: the picture and all that edits it come with it, and most who see a list want neither. */
export const TreeFieldLater = later(
  () => import('./tree-field.tsx').then(({ TreeField }) => TreeField),
  'What edits a tree could not be loaded. Reload the page and try again; without another tree it goes on as it was.',
);
