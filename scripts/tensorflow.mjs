/**
 * `npm run engines:tensorflow -- cpu|gpu`: installs TensorFlow for tfjs-node (or tfjs-node-gpu).
 *
 * On Linux x64 that is TensorFlow's own wheel from the Python Package Index, checked by SHA-256, and
 * the binding is compiled against it: TensorFlow.js's prebuilt files are from 2022 (2.9.1) and do not support
 * newer cards. Elsewhere, and with --prebuilt, the prebuilt files are downloaded.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { localNode, root, runMain, runQuietly, SetupError, toolEnvironment } from "./setup.mjs";

const usage = `usage: npm run engines:tensorflow -- cpu|gpu [--prebuilt]
  cpu         TensorFlow on the processor, for the engine tfjs-node
  gpu         TensorFlow with CUDA 12 and cuDNN 9, for the engine tfjs-node-gpu
  --prebuilt  the files that TensorFlow.js offers ready-made (TensorFlow 2.9.1; gpu: CUDA 11.2, cuDNN 8)`;

/** Wheels with their SHA-256. */
const wheels = {
  cpu: ["tensorflow-cpu==2.21.0 --hash=sha256:2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c"],
  gpu: [
    "tensorflow==2.21.0 --hash=sha256:9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124",
    "nvidia-cublas-cu12==12.9.3.13 --hash=sha256:d7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72",
    "nvidia-cuda-cupti-cu12==12.8.90 --hash=sha256:ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182",
    "nvidia-cuda-nvrtc-cu12==12.9.86 --hash=sha256:210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4",
    "nvidia-cuda-runtime-cu12==12.9.79 --hash=sha256:25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3",
    "nvidia-cudnn-cu12==9.28.0.42 --hash=sha256:9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375",
    "nvidia-cufft-cu12==11.4.1.4 --hash=sha256:c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28",
    "nvidia-curand-cu12==10.3.10.19 --hash=sha256:49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e",
    "nvidia-cusolver-cu12==11.7.5.82 --hash=sha256:15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88",
    "nvidia-cusparse-cu12==12.5.10.65 --hash=sha256:73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78",
    "nvidia-nccl-cu12==2.32.3 --hash=sha256:bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c",
    "nvidia-nvjitlink-cu12==12.9.86 --hash=sha256:e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9",
  ],
};
const sizes = { cpu: "270 MB; 0.9 GB on the disk", gpu: "3.3 GB; 5.5 GB on the disk" };
/** The Python version does not matter: only libraries and headers are used. */
const wheelTags = ["--python-version", "3.11", ...["manylinux_2_27", "manylinux_2_17", "manylinux2014", "manylinux_2_12", "manylinux2010"].flatMap((tag) => ["--platform", `${tag}_x86_64`])];

/** Unpacks the libraries and headers of the wheels in a folder. */
const unpack = `
import pathlib, re, sys, zipfile
wanted = re.compile(r"tensorflow/libtensorflow_(cc|framework)\\.so\\.2$|tensorflow/include/(tensorflow/c/|tensorflow/core/platform/ctstring|tsl/platform/ctstring|xla/tsl/c/)|nvidia/[^/]+/lib/.*\\.so")
for wheel in pathlib.Path(sys.argv[1]).glob("*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(sys.argv[2], [name for name in archive.namelist() if wanted.match(name)])
`;

/** Script that loads TensorFlow, checks a product, and prints version and device. */
const load = `
const util = require("node:util");
util.isNullOrUndefined ??= (value) => value == null;
const tf = require(process.argv[1]);
const sum = tf.matMul(tf.ones([8, 8]), tf.ones([8, 8])).sum().dataSync()[0];
if (sum !== 512) throw new Error("wrong product of two matrices of ones: " + sum + " instead of 512");
console.log(JSON.stringify({ version: tf.backend().binding.TF_Version, gpu: tf.backend().isUsingGpuDevice }));
`;

async function step(title, run) {
  process.stderr.write(`${title} …`);
  const { code, output } = await run();
  process.stderr.write(code === 0 ? " done\n" : " failed\n");
  if (code !== 0) throw new SetupError(`${title} failed:\n${output.trim().split("\n").slice(-15).join("\n")}`);
  return output;
}

function firstThatAnswers(named, names, args, missing) {
  const found = [process.env[named] ?? "", ...names].find((name) => name !== "" && spawnSync(name, args, { stdio: "ignore" }).status === 0);
  if (!found) throw new SetupError(`${missing} (tried ${[process.env[named], ...names].filter(Boolean).join(", ")}; set ${named} to name another)`);
  return found;
}

/** Downloads the wheels and compiles the binding against them. */
async function fromWheels(form, folder) {
  const python = firstThatAnswers("HYPERTOWER_PYTHON", ["python3", "python"], ["-m", "pip", "--version"], "Python with pip is needed to download TensorFlow: Debian: apt-get install python3-pip");
  const compiler = firstThatAnswers("CXX", ["g++", "clang++"], ["--version"], "A C++ compiler is needed: Debian: apt-get install g++");
  const headers = join(root, "node_modules", "node-api-headers", "include");
  if (!existsSync(headers)) throw new SetupError("node-api-headers is missing from node_modules; run: npm ci");

  const deps = join(folder, "deps");
  // On the same disk as the target, for renames; deleted in any case.
  const work = mkdtempSync(join(folder, ".tensorflow-"));
  try {
    writeFileSync(join(work, "wheels.txt"), wheels[form].join("\n"));
    const download = ["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes", ...wheelTags, "-d", join(work, "wheels"), "-r", join(work, "wheels.txt")];
    await step(`Downloading TensorFlow from the Python Package Index (${sizes[form]})`, () => runQuietly(python, download));
    await step("Unpacking", () => runQuietly(python, ["-c", unpack, join(work, "wheels"), join(work, "deps")]));
    const built = join(work, "tfjs_binding.node");
    const libraries = join(work, "deps", "tensorflow");
    const sources = readdirSync(join(folder, "binding")).filter((name) => name.endsWith(".cc")).map((name) => join(folder, "binding", name));
    await step("Compiling the binding", () =>
      runQuietly(compiler, [
        ...["-shared", "-fPIC", "-O2", "-std=c++17", "-DNAPI_VERSION=8"],
        ...[headers, folder, join(libraries, "include")].map((path) => `-I${path}`),
        ...sources,
        ...[`-L${libraries}`, "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2", "-Wl,-rpath,$ORIGIN/../../deps/tensorflow"],
        ...["-o", built],
      ]),
    );
    const addon = join(folder, "lib", "napi-v8", "tfjs_binding.node");
    rmSync(deps, { recursive: true, force: true });
    rmSync(join(folder, "lib"), { recursive: true, force: true });
    mkdirSync(dirname(addon), { recursive: true });
    renameSync(join(work, "deps"), deps);
    renameSync(built, addon);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Downloads the prebuilt files with TensorFlow.js's own installer. */
async function prebuilt(form, folder) {
  await step("Downloading the prebuilt files of TensorFlow.js (TensorFlow 2.9.1)", () =>
    runQuietly(localNode(), [join(folder, "scripts", "install.js"), form, "download"], { env: toolEnvironment(), cwd: folder }),
  );
  if (process.platform !== "win32") return;
  // The installer puts the library into the folder of the newest addon version, not of the installed one.
  const library = join(folder, "deps", "lib", "tensorflow.dll");
  for (const name of readdirSync(join(folder, "lib"))) copyFileSync(library, join(folder, "lib", name, "tensorflow.dll"));
}

async function main() {
  const [form, ...options] = process.argv.slice(2);
  if ((form !== "cpu" && form !== "gpu") || options.some((option) => option !== "--prebuilt")) throw new SetupError(usage);
  const system = `${process.platform} ${process.arch}`;
  if (form === "gpu" && !["linux x64", "win32 x64"].includes(system)) throw new SetupError(`CUDA and tfjs-node-gpu exist for Linux and Windows on x64 processors; this is ${system}. The engines tfjs-webgpu and onnx-webgpu use any vendor's graphics device.`);
  const name = form === "gpu" ? "@tensorflow/tfjs-node-gpu" : "@tensorflow/tfjs-node";
  const folder = join(root, "node_modules", name);
  if (!existsSync(folder)) throw new SetupError(`the optional package ${name} is missing from node_modules; run: npm ci --include=optional`);

  if (system === "linux x64" && options.length === 0) await fromWheels(form, folder);
  else await prebuilt(form, folder);
  const said = await step("Loading it", () => runQuietly(localNode(), ["-e", load, folder], { env: toolEnvironment({ TF_CPP_MIN_LOG_LEVEL: "2" }) }));
  const { version, gpu } = JSON.parse(said.trim().split("\n").findLast((line) => line.startsWith("{")));
  console.log(`${name} has TensorFlow ${version}.`);
  if (form === "gpu" && !gpu) console.log("It found no NVIDIA GPU here: the engine tfjs-node-gpu needs one, with a driver for CUDA 12 (525 or later); nvidia-smi must list it.");
  return 0;
}

await runMain(main);
