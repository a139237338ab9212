/** What passes between engine and view. */

declare module "*.css" {
  const text: string;
  export default text;
}
declare module "*.toml" {
  const value: any;
  export default value;
}

/** One pass of an image through a network; sequences are [T, …], flattened. An ANN has no input and no spikes. */
interface Side {
  image: Float32Array;
  input: Float32Array | null;
  hidden: Uint8Array | Float32Array | null;
  output: Uint8Array | Float32Array | null;
  activation?: Float32Array;
  membrane?: Float32Array | null;
  votes: Float32Array;
  predictions: ArrayLike<number> & Iterable<number>;
  energy?: any;
  operations?: Float32Array | null;
}

/** The answer to a request: the clean image, and the attacked one where there is an attack. */
interface Frame {
  clean: Side;
  attacked: Side | null;
  bounds?: any;
  computed_by: string;
  encoding: string;
  exit_step: number;
  gradient_zero: number | null;
  label: number | null;
  moved: number;
  ms: number;
  num_steps: number;
  order: any;
  shape: number[];
  /** The class that is right, or taken for it. */
  target: number;
  /** The class that the attack moves towards; -1: any other. */
  towards?: number;
}

/** One image under one attacker, step by step. */
interface Trajectory {
  computed_by: string;
  eps: number;
  label: number | null;
  method: string;
  ms: number;
  path: {
    images: Float32Array;
    gradients: Float32Array;
    margins: any;
    predictions: any;
    slice_margins?: Float32Array;
    slice_predictions?: Int8Array;
  };
  shape: number[];
  steps: number;
  target: number;
}

/** A model as the zoo lists it, or a network of the reader's. */
interface Model {
  name: string;
  title: string;
  kind: string;
  encoding: string;
  code?: string;
  rule?: string;
  loss?: string;
  group?: string;
  decoder?: string;
  trains: boolean;
}

/** Samples, models, and results measured on all test images (null for the reader's networks). */
interface Zoo {
  dataset: string;
  digits: { images: Float32Array; labels: number[]; shape: number[]; indices: number[] };
  models: Model[];
  num_steps: number;
  results: any;
}

/** Line and marker of a model. */
interface Mark {
  colour: string;
  dash: number[];
  marker: string;
}

/** The colours of a scheme by the names of the vocabulary. */
interface Colours {
  [name: string]: any;
  scheme: "light" | "dark";
  code: (name: string) => Mark;
  mark: (model: any) => Mark;
}

/** The settings of an explorer by name. */
type State = Record<string, any>;

/** The browser engine, or the one behind a kernel. */
type Engine = any;

/** Margins of a time axis in CSS pixels. */
interface Margins {
  left: number;
  right: number;
}

/** A field of a plot, or the margins around it. */
interface Field extends Margins {
  top: number;
  bottom: number;
}

/** A label by its centre. */
interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A share with its 95 % interval; not measured, it was read between two budgets; proved: its lower end, if it is an upper one. */
interface Share {
  share: number;
  low: number;
  high: number;
  measured?: boolean;
  proved?: number | null;
}
