/**
 * A piece of work that the bench runs in a process of its own: it gets ready, waits for the word, works, and returns what
 * it measured. Options and result travel as JSON.
 *
 *   task -> runner  { task: 'ready', with } | { task: 'done', result } | { task: 'failed', why }
 *   runner -> task  { task: 'go' } | { task: 'stop' }
 */
export type TaskContext = {
  /** Says that all is prepared, and waits for the word to begin. `facts` go to the runner. */
  ready(facts?: unknown): Promise<void>;
  /** Resolves when the runner needs this process no more. */
  readonly stopped: Promise<void>;
};

export type Task<Options, Result> = (options: Options, context: TaskContext) => Promise<Result>;

export type TaskMessage =
  | { readonly task: 'ready'; readonly facts: unknown }
  | { readonly task: 'done'; readonly result: unknown }
  | { readonly task: 'failed'; readonly why: string };
export type TaskOrder = { readonly task: 'go' | 'stop' };

/** What a task process is started with. */
export type TaskStart = { readonly name: string; readonly options: unknown };
