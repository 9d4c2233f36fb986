/** Mounts parts of the window with services that a test writes itself; nothing here waits for time. */
import { flushPromises, mount, type DOMWrapper, type VueWrapper } from "@vue/test-utils";
import { createPinia, setActivePinia } from "pinia";
import { afterEach, beforeEach, vi } from "vitest";
import { createMemoryHistory, createRouter, type Router } from "vue-router";
import { computed, defineComponent, h, ref, type Component, type Ref } from "vue";
import { bridgeKey, contract, type Bridge, type EventName, type EventPayload, type Reply, type RequestArguments, type RequestName, type RequestOutput } from "@shared/contract.ts";
import type { FieldError } from "@shared/experiment.ts";
import { errorsKey } from "@/components/form/fieldErrors.ts";

type Handler = (input: never) => unknown;
type Failure = { readonly message: string; readonly fields?: FieldError[] };

/** Thrown by a handler: the reply a service gives when it refuses a request. */
class Refusal extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

const handlers = new Map<string, Handler>();
const listeners = new Map<string, Set<(payload: never) => void>>();

/** The services behind the window. A request that no test answers is refused, as one that the contract does not allow. */
export const services = {
  /** Requests as they arrived, in order. */
  requests: [] as { name: RequestName; input: unknown }[],
  answer<N extends RequestName>(name: N, handler: (input: RequestArguments<N>) => RequestOutput<N> | Promise<RequestOutput<N>>): void {
    handlers.set(name, handler as Handler);
  },
  refuse(name: RequestName, message: string, fields: FieldError[] = []): void {
    handlers.set(name, () => {
      throw new Refusal({ message, fields });
    });
  },
  /** Inputs of the requests of one name. */
  inputs<N extends RequestName>(name: N): RequestArguments<N>[] {
    return services.requests.filter((request) => request.name === name).map(({ input }) => input as RequestArguments<N>);
  },
  emit<N extends EventName>(name: N, payload: EventPayload<N>): void {
    for (const listener of listeners.get(name) ?? []) (listener as (payload: EventPayload<N>) => void)(payload);
  },
};

const bridge: Bridge = {
  async request(name, given) {
    const input = contract.requests[name].input.safeParse(given);
    if (!input.success) return { ok: false, error: { message: `${name} does not take this: ${input.error.message}` } };
    services.requests.push({ name, input: input.data });
    const handler = handlers.get(name);
    if (!handler) return { ok: false, error: { message: `this test answers no ${name}` } };
    try {
      return { ok: true, value: (await handler(input.data as never)) as never } satisfies Reply<typeof name>;
    } catch (error) {
      if (error instanceof Refusal) return { ok: false, error: error.failure };
      throw error;
    }
  },
  on(name, listener) {
    const known = listeners.get(name) ?? new Set();
    listeners.set(name, known.add(listener as (payload: never) => void));
    return () => void known.delete(listener as (payload: never) => void);
  },
};

// As in browsers. The pretended one writes out all the markup, for each of the many times that a menu's position is asked for.
Element.prototype.toString = () => "[object HTMLElement]";

/** An answer that comes when the test says so. */
export function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}

const mounted: VueWrapper[] = [];

// The window connects once, to this bridge. What a test does not wait for never happens: timers stand still.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  Object.assign(window, { [bridgeKey]: bridge });
  localStorage.clear();
  setActivePinia(createPinia());
});

afterEach(() => {
  for (const wrapper of mounted.splice(0)) wrapper.unmount();
  document.body.replaceChildren();
  handlers.clear();
  listeners.clear();
  services.requests.length = 0;
  vi.clearAllTimers();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Any address leads to an empty page: what is tested is where a component goes. */
export function emptyRouter(): Router {
  return createRouter({ history: createMemoryHistory(), routes: [{ path: "/:path(.*)*", component: { render: () => null } }] });
}

interface Options {
  readonly props?: Record<string, unknown>;
  readonly errors?: () => ReadonlyMap<string, string>;
  readonly slots?: Record<string, () => unknown>;
  readonly router?: Router;
  /** Names of components that are not drawn: where there are hundreds. */
  readonly stubs?: readonly string[];
}

/** Mounts a component in the document, with stores, routes and field errors. */
export function mountPart(component: Component, { props = {}, errors = () => new Map(), slots = {}, router = emptyRouter(), stubs = [] }: Options = {}): VueWrapper {
  const wrapper = mount(component, { props, slots: slots as never, attachTo: document.body, global: { plugins: [router], stubs: Object.fromEntries(stubs.map((name) => [name, true])), provide: { [errorsKey as symbol]: errors } } }) as VueWrapper;
  mounted.push(wrapper);
  return wrapper;
}

interface FormOptions<T> extends Options {
  /** Errors of the value as it stands, by path. */
  readonly check?: (value: T) => ReadonlyMap<string, string>;
}

/** Mounts the editor of one value, which it owns by `v-model`, as a page does. `value()` is what the editor made of it. */
export function mountForm<T>(component: Component, initial: T, { check, ...options }: FormOptions<T> = {}) {
  const state = ref(initial) as Ref<T>;
  const host = defineComponent({
    setup: () => () => h(component, { ...options.props, modelValue: state.value, "onUpdate:modelValue": (next: T) => (state.value = next) }),
  });
  const errors = computed(() => check?.(state.value) ?? new Map<string, string>());
  const wrapper = mountPart(host, { ...options, props: {}, errors: () => errors.value });
  return { wrapper, value: () => state.value, set: (next: T) => ((state.value = next), flushPromises()) };
}

type Scope = Pick<VueWrapper, "get" | "find"> | Pick<DOMWrapper<Element>, "get" | "find">;

export const byTestid = (scope: Scope, id: string) => scope.get(`[data-testid="${id}"]`);
export const hasTestid = (scope: Scope, id: string): boolean => scope.find(`[data-testid="${id}"]`).exists();

/** An element that a menu, a list or a dialog hangs at the end of the page. */
export function onPage(testid: string): HTMLElement {
  const found = document.body.querySelector<HTMLElement>(`[data-testid="${testid}"]`);
  if (!found) throw new Error(`there is no ${testid} on the page`);
  return found;
}

export async function click(scope: Scope, testid: string): Promise<void> {
  await byTestid(scope, testid).trigger("click");
  await flushPromises();
}

/** Opens a menu by its button and chooses from it. */
export async function chooseFrom(scope: Scope, button: string, item: string): Promise<void> {
  await click(scope, button);
  onPage(item).click();
  await flushPromises();
}

/** Types a text over what a field holds. */
export async function type(scope: Scope, testid: string, text: string): Promise<void> {
  const field = byTestid(scope, testid);
  const input = field.element.matches("input, textarea") ? field : field.get("input, textarea");
  await input.setValue(text);
  await flushPromises();
}

/** Labels that a select offers; `title` says where one is disabled. */
export function optionsOf(scope: Scope, testid: string): HTMLElement[] {
  const list = byTestid(scope, testid).get("input").attributes("aria-controls");
  return [...(document.getElementById(list ?? "")?.querySelectorAll<HTMLElement>("[role='option']") ?? [])];
}

/** Chooses from a select by the label of an option. */
export async function choose(scope: Scope, testid: string, label: string): Promise<void> {
  const options = optionsOf(scope, testid);
  const option = options.find(({ textContent }) => textContent.trim() === label);
  if (!option) throw new Error(`${testid} does not offer ${label}, but ${options.map(({ textContent }) => textContent.trim()).join(", ")}`);
  option.click();
  await flushPromises();
}

/** Gives every element a size, for what draws only what is in sight. */
export function layOut(width: number, height: number): void {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      readonly #told: ResizeObserverCallback;
      constructor(told: ResizeObserverCallback) {
        this.#told = told;
      }
      observe(): void {
        const size = [{ inlineSize: width, blockSize: height }];
        queueMicrotask(() => this.#told([{ contentRect: { width, height }, contentBoxSize: size, borderBoxSize: size } as never], this as never));
      }
      unobserve(): void {}
      disconnect(): void {}
    },
  );
}
