//! What an encoder's device needs and this machine does not have.
//!
//! Where a device does not open FFmpeg tells a number, and one reason at the most. What each family
//! needs is known, so it is looked for here: the files its card or chip is seen by, and what its
//! driver brings. All that is missing is told at once.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;

use libloading::Library;

use crate::error::CodecError;
use crate::settings::EncoderFamily;

/// Device files that are told by name.
const MOST_NODES: usize = 8;

/// Where drivers of VA-API lie, as distributions have them; libva itself looks in one of them.
const DRIVERS: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu/dri",
    "/usr/lib/aarch64-linux-gnu/dri",
    "/usr/lib64/dri",
    "/usr/lib/dri",
    "/usr/local/lib/dri",
    "/usr/local/lib/x86_64-linux-gnu/dri",
];
/// The end of such a driver's name.
const DRIVER: &str = "_drv_video.so";

/// The device files of a family.
#[derive(Clone, Copy)]
struct Nodes {
    folder: &'static str,
    /// Their names begin so, and then there is a number.
    begin: &'static str,
    /// What the first is called.
    first: &'static str,
    /// What they stand for.
    of: &'static str,
    /// Who may open them.
    group: &'static str,
}

/// Libraries of which one is needed, and what brings them.
type Libraries = (&'static [&'static str], &'static str);

const NVIDIA: Nodes = Nodes {
    folder: "/dev",
    begin: "nvidia",
    first: "/dev/nvidia0",
    of: "an NVIDIA card and its kernel driver",
    group: "video",
};
const RENDER: Nodes = Nodes {
    folder: "/dev/dri",
    begin: "renderD",
    first: "/dev/dri/renderD128",
    of: "a card and its kernel driver",
    group: "render",
};
const VIDEO: Nodes = Nodes {
    folder: "/dev",
    begin: "video",
    first: "/dev/video0",
    of: "a board's encoder and its kernel driver",
    group: "video",
};
/// Where a card is lent to a virtual machine (WSL) this is all that is seen of it.
const LENT: &str = "/dev/dxg";

const CUDA: Libraries = (&["libcuda.so.1"], "NVIDIA's driver; Debian: libcuda1");
const NVENC: Libraries = (
    &["libnvidia-encode.so.1"],
    "NVIDIA's driver; Debian: libnvidia-encode1; in a container NVIDIA_DRIVER_CAPABILITIES must have `video`",
);
const MFX: Libraries = (
    &["libmfx-gen.so.1.2", "libmfxhw64.so.1"],
    "Intel's runtime; Debian: libmfx-gen1.2 for newer cards, or libmfx1",
);

/// Why a device file does not open.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Shut {
    Permission,
    /// In the system's words.
    Otherwise(String),
}

/// What there is of a family's needs.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Found {
    /// Device files, and why one does not open.
    nodes: Vec<(String, Result<(), Shut>)>,
    /// Of each need the libraries, and why one does not load.
    libraries: Vec<Vec<Result<(), String>>>,
    /// Drivers of VA-API.
    drivers: usize,
}

fn needs(family: EncoderFamily) -> Option<(Nodes, &'static [Libraries])> {
    match family {
        EncoderFamily::Software => None,
        EncoderFamily::Nvenc => Some((NVIDIA, &[CUDA, NVENC])),
        EncoderFamily::Qsv => Some((RENDER, &[MFX])),
        EncoderFamily::Vaapi => Some((RENDER, &[])),
        EncoderFamily::V4l2 => Some((VIDEO, &[])),
    }
}

/// The error with what the family's device lacks on this machine, and what FFmpeg `said` of it.
pub(super) fn lacking(family: EncoderFamily, why: CodecError, said: Vec<String>) -> CodecError {
    // That it was not built in, or that a setting is wrong, is told already.
    if !matches!(why, CodecError::Ffmpeg { .. }) {
        return why;
    }
    let lacking = needs(family).map(|(nodes, libraries)| lacks(family, &look(nodes, libraries)));
    CodecError::Device { lacking: lacking.unwrap_or_default(), why: Box::new(why), said }
}

fn look(nodes: Nodes, libraries: &[Libraries]) -> Found {
    let is_one = |name: &str| {
        name.strip_prefix(nodes.begin).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let mut paths = names(nodes.folder, &is_one);
    if nodes.first == NVIDIA.first && Path::new(LENT).exists() {
        paths.push(LENT.to_owned());
    }
    paths.sort_by_key(|path| (path.len(), path.clone()));
    paths.truncate(MOST_NODES);
    let is_driver = |name: &str| name.ends_with(DRIVER);
    let own = std::env::var("LIBVA_DRIVERS_PATH");
    let own = own.iter().flat_map(|folders| folders.split(':'));
    Found {
        nodes: paths
            .into_iter()
            .map(|path| (opens(&path), path))
            .map(|(opens, path)| (path, opens))
            .collect(),
        libraries: libraries.iter().map(|(any, _)| any.iter().map(|name| loads(name)).collect()).collect(),
        drivers: DRIVERS.into_iter().chain(own).map(|folder| names(folder, &is_driver).len()).sum(),
    }
}

/// Paths of a folder's files with such names.
fn names(folder: &str, is_one: &dyn Fn(&str) -> bool) -> Vec<String> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    names.filter(|name| is_one(name)).map(|name| format!("{folder}/{name}")).collect()
}

fn opens(path: &str) -> Result<(), Shut> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(Shut::Permission),
        Err(error) => Err(Shut::Otherwise(error.to_string())),
    }
}

fn loads(name: &str) -> Result<(), String> {
    // SAFETY: a part of the device's driver, which FFmpeg has loaded, or tried to, just before.
    match unsafe { Library::new(name) } {
        Ok(_) => Ok(()),
        Err(error) => {
            let why = error.to_string();
            // The system says this of libraries that it needs in turn, too.
            let is_gone = why.starts_with(name) && why.ends_with("No such file or directory");
            Err(if is_gone { "missing".to_owned() } else { format!("not to be loaded: {why}") })
        }
    }
}

/// Words for what is missing.
fn lacks(family: EncoderFamily, found: &Found) -> Vec<String> {
    let Some((nodes, libraries)) = needs(family) else { return Vec::new() };
    let mut lacking = Vec::new();
    let all = || found.nodes.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>().join(", ");
    match &found.nodes[..] {
        [] => {
            lacking.push(format!("there is no {} ({}; a container must be given it)", nodes.first, nodes.of))
        }
        [(path, Err(why)), ..] if found.nodes.iter().all(|(_, opens)| opens.is_err()) => {
            lacking.push(match why {
                Shut::Permission => {
                    let Nodes { group, .. } = nodes;
                    format!("{path} does not open for this user (those of the group `{group}` may, usually)")
                }
                Shut::Otherwise(why) => format!("{path} does not open: {why}"),
            });
        }
        // Cameras and tuners are shown by such files as well.
        _ if family == EncoderFamily::V4l2 => {
            lacking.push(format!("none of {} is an encoder that takes this", all()));
        }
        _ => {}
    }
    for ((any, from), tried) in libraries.iter().zip(&found.libraries) {
        if tried.iter().all(Result::is_err) {
            let tried = any.iter().zip(tried);
            let tried =
                tried.filter_map(|(name, loads)| Some(format!("{name} is {}", loads.as_ref().err()?)));
            lacking.push(format!("{} ({from})", tried.collect::<Vec<_>>().join(" and ")));
        }
    }
    if matches!(family, EncoderFamily::Vaapi | EncoderFamily::Qsv) && found.drivers == 0 {
        lacking.push(format!(
            "there is no VA-API driver, a file *{DRIVER} (Debian: intel-media-va-driver, i965-va-driver, \
             mesa-va-drivers)"
        ));
    }
    lacking
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Step;

    fn found(nodes: &[(&str, Result<(), Shut>)], libraries: &[&[Result<(), &str>]], drivers: usize) -> Found {
        let owned = |one: &Result<(), &str>| one.map_err(str::to_owned);
        Found {
            nodes: nodes.iter().map(|(path, opens)| ((*path).to_owned(), opens.clone())).collect(),
            libraries: libraries.iter().map(|any| any.iter().map(owned).collect()).collect(),
            drivers,
        }
    }

    #[test]
    fn all_that_is_missing_is_told_at_once() {
        let missing = [Err("missing")];
        let nothing = found(&[], &[&missing, &missing], 0);
        let told = lacks(EncoderFamily::Nvenc, &nothing);
        assert_eq!(
            told.iter().map(|one| one.split(" (").next().unwrap()).collect::<Vec<_>>(),
            ["there is no /dev/nvidia0", "libcuda.so.1 is missing", "libnvidia-encode.so.1 is missing"]
        );
        assert!(told[2].contains("NVIDIA_DRIVER_CAPABILITIES"), "{told:?}");
        let told =
            lacks(EncoderFamily::Qsv, &found(&[], &[&[Err("missing"), Err("not to be loaded: x")]], 0));
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(
            told[1].starts_with("libmfx-gen.so.1.2 is missing and libmfxhw64.so.1 is not to be loaded: x (")
        );
        assert!(told[2].starts_with("there is no VA-API driver"), "{told:?}");
    }

    #[test]
    fn what_is_there_is_not_complained_of() {
        let card = ("/dev/dri/renderD129", Ok(()));
        let denied = ("/dev/dri/renderD128", Err(Shut::Permission));
        let both = found(&[denied.clone(), card.clone()], &[], 1);
        assert_eq!(lacks(EncoderFamily::Vaapi, &both), Vec::<String>::new());
        // One of two libraries is enough.
        let qsv = found(&[card], &[&[Err("missing"), Ok(())]], 2);
        assert_eq!(lacks(EncoderFamily::Qsv, &qsv), Vec::<String>::new());
        assert_eq!(
            lacks(EncoderFamily::Vaapi, &found(&[denied], &[], 1)),
            ["/dev/dri/renderD128 does not open for this user (those of the group `render` may, usually)"]
        );
        let idle = ("/dev/nvidia0", Err(Shut::Otherwise("No such device or address (os error 6)".into())));
        assert_eq!(
            lacks(EncoderFamily::Nvenc, &found(&[idle], &[&[Ok(())], &[Ok(())]], 0)),
            ["/dev/nvidia0 does not open: No such device or address (os error 6)"]
        );
    }

    #[test]
    fn a_camera_is_no_encoder() {
        let [one, other] = ["/dev/video0", "/dev/video1"].map(|path| (path, Ok(())));
        assert_eq!(
            lacks(EncoderFamily::V4l2, &found(&[one, other], &[], 0)),
            ["none of /dev/video0, /dev/video1 is an encoder that takes this"]
        );
    }

    #[test]
    fn a_library_is_missing_or_does_not_load() {
        assert_eq!(loads("libno-such-card.so.1"), Err("missing".to_owned()));
        let why = loads(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap_err();
        assert!(why.starts_with("not to be loaded: "), "{why}");
        assert_eq!(opens("/dev/null"), Ok(()));
        let Err(Shut::Otherwise(why)) = opens("/dev/no-such-card") else { panic!("there is none") };
        assert!(why.contains("No such file"), "{why}");
    }

    #[test]
    fn the_error_has_ours_and_then_ffmpegs_words() {
        let (codec, text) = ("h264_nvenc", "Operation not permitted".to_owned());
        let why = CodecError::Ffmpeg { codec, step: Step::Open, pts: None, code: -1, text };
        let device = |lacking: &[&str], said: &[&str]| {
            let [lacking, said] = [lacking, said].map(|all| all.iter().map(|&one| one.to_owned()).collect());
            CodecError::Device { lacking, why: Box::new(why.clone()), said }.to_string()
        };
        assert_eq!(
            device(&["no card", "no driver"], &["Cannot load libcuda.so.1"]),
            "no card; no driver; h264_nvenc could not open: Operation not permitted (-1): Cannot load libcuda.so.1"
        );
        assert_eq!(device(&[], &[]), "h264_nvenc could not open: Operation not permitted (-1)");
        let unavailable = CodecError::Unavailable { codec };
        assert_eq!(lacking(EncoderFamily::Nvenc, unavailable.clone(), Vec::new()), unavailable);
    }
}
