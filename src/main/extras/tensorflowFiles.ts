/** TensorFlow's wheels with their checksums, and the commands that make the binding of them. */
import { join } from "node:path";

export type TensorflowForm = "cpu" | "gpu";

const wheels: Readonly<Record<TensorflowForm, readonly string[]>> = {
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

/** The Python version does not matter: only libraries and headers are used. */
const wheelTags = ["--python-version", "3.11", ...["manylinux_2_27", "manylinux_2_17", "manylinux2014", "manylinux_2_12", "manylinux2010"].flatMap((tag) => ["--platform", `${tag}_x86_64`])];

/** Contents of pip's file of requirements. */
export const requirements = (form: TensorflowForm): string => wheels[form].join("\n");

/** Arguments of Python that download the wheels named in `work/wheels.txt`. */
export const downloadArguments = (work: string): string[] => ["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes", ...wheelTags, "-d", join(work, "wheels"), "-r", join(work, "wheels.txt")];

/** Unpacks the libraries and headers of the wheels in a folder. */
export const unpackScript = `
import pathlib, re, sys, zipfile
wanted = re.compile(r"tensorflow/libtensorflow_(cc|framework)\\.so\\.2$|tensorflow/include/(tensorflow/c/|tensorflow/core/platform/ctstring|tsl/platform/ctstring|xla/tsl/c/)|nvidia/[^/]+/lib/.*\\.so")
for wheel in pathlib.Path(sys.argv[1]).glob("*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(sys.argv[2], [name for name in archive.namelist() if wanted.match(name)])
`;

/** Arguments of the C++ compiler. */
export function compileArguments({ headers, target, sources, built }: { readonly headers: string; readonly target: string; readonly sources: readonly string[]; readonly built: string }): string[] {
  const libraries = join(target, "deps", "tensorflow");
  return [
    ...["-shared", "-fPIC", "-O2", "-std=c++17", "-DNAPI_VERSION=8"],
    ...[headers, target, join(libraries, "include")].map((path) => `-I${path}`),
    ...sources,
    ...[`-L${libraries}`, "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2", "-Wl,-rpath,$ORIGIN/../../deps/tensorflow"],
    ...["-o", built],
  ];
}

/** Script that loads TensorFlow, checks a product, and prints version and device. */
export const loadScript = `
const util = require("node:util");
util.isNullOrUndefined ??= (value) => value == null;
const tf = require(process.argv[2]);
const sum = tf.matMul(tf.ones([8, 8]), tf.ones([8, 8])).sum().dataSync()[0];
if (sum !== 512) throw new Error("wrong product of two matrices of ones: " + sum + " instead of 512");
console.log(JSON.stringify({ version: tf.backend().binding.TF_Version, gpu: tf.backend().isUsingGpuDevice }));
`;
