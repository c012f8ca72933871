import escalation from '../../examples/escalation.radial?raw';
import order from '../../examples/order.xml?raw';
import review from '../../examples/review.json?raw';

/** The examples of the project, as they are. */
export const EXAMPLES: { readonly [name: string]: { readonly text: string; readonly fields: string } } = {
  order: { text: order, fields: '{\n  "customer": "Ada",\n  "in_stock": true,\n  "creditworthy": true\n}' },
  review: { text: review, fields: '{\n  "document": "the report"\n}' },
  escalation: { text: escalation, fields: '{\n  "customer": "Ada"\n}' },
};
