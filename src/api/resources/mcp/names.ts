/* How tools are called: the name of the definition, and what is done with it. */

export const TOOL_KINDS = ['start', 'status', 'result', 'cancel'] as const;
export type ToolKind = (typeof TOOL_KINDS)[number];

/** Characters a tool's name may have, for most models take no more. */
export const TOOL_NAME_MAX = 64;
const PREFIX_MAX = TOOL_NAME_MAX - '_status'.length;

/** What the tools of a definition begin with: every character models do not take is `_`. Two names may have the same. */
export const toolPrefix = (definition: string): string =>
  definition.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, PREFIX_MAX);

export const toolName = (definition: string, kind: ToolKind): string => `${toolPrefix(definition)}_${kind}`;

export function kindOfTool(tool: string): ToolKind | null {
  return TOOL_KINDS.find((kind) => tool.endsWith(`_${kind}`)) ?? null;
}
