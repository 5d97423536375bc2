//! libavfilter, loaded when the first of its filters is needed.
//!
//! Linked as the other libraries are, it would bring some seventy more along (speech, fonts, OpenCL:
//! whatever any filter may want), which every start would wait for and every process would hold:
//! 20 MB and 50 ms on Debian 12. A show needs it for interlaced pictures, and for those of other
//! primaries than BT.709's.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::sync::OnceLock;

use ffmpeg_next::ffi;
use libloading::Library;

use crate::error::CodecError;

/// Functions of a library, by their names.
macro_rules! functions {
    ($($name:ident: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// libavfilter's functions, as its headers have them.
        pub(super) struct Filters {
            $(pub(super) $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
            /// Whose code they are: it stays for as long as they do.
            _library: Library,
        }

        // Their types are those of the headers, or this does not build.
        const _: () = {
            $(let _: unsafe extern "C" fn($($argument),*) $(-> $result)? = ffi::$name;)*
        };

        impl Filters {
            fn of(library: Library) -> Result<Self, libloading::Error> {
                // SAFETY: the type is that of the header (above), and of the library's own version,
                // which its name says.
                $(let $name = unsafe {
                    *library.get::<unsafe extern "C" fn($($argument),*) $(-> $result)?>(
                        concat!(stringify!($name), "\0").as_bytes(),
                    )?
                };)*
                Ok(Self { $($name,)* _library: library })
            }
        }
    };
}

functions! {
    avfilter_graph_alloc: fn() -> *mut ffi::AVFilterGraph;
    avfilter_graph_free: fn(*mut *mut ffi::AVFilterGraph);
    avfilter_graph_config: fn(*mut ffi::AVFilterGraph, *mut c_void) -> c_int;
    avfilter_get_by_name: fn(*const c_char) -> *const ffi::AVFilter;
    avfilter_graph_create_filter: fn(
        *mut *mut ffi::AVFilterContext,
        *const ffi::AVFilter,
        *const c_char,
        *const c_char,
        *mut c_void,
        *mut ffi::AVFilterGraph
    ) -> c_int;
    avfilter_link: fn(*mut ffi::AVFilterContext, c_uint, *mut ffi::AVFilterContext, c_uint) -> c_int;
    av_buffersrc_add_frame: fn(*mut ffi::AVFilterContext, *mut ffi::AVFrame) -> c_int;
    av_buffersink_get_frame: fn(*mut ffi::AVFilterContext, *mut ffi::AVFrame) -> c_int;
    av_buffersink_get_time_base: fn(*const ffi::AVFilterContext) -> ffi::AVRational;
}

/// The library's file, of the version whose headers were built with.
fn file() -> String {
    let major = ffi::LIBAVFILTER_VERSION_MAJOR;
    if cfg!(windows) {
        format!("avfilter-{major}.dll")
    } else if cfg!(target_vendor = "apple") {
        format!("libavfilter.{major}.dylib")
    } else {
        format!("libavfilter.so.{major}")
    }
}

fn load(file: &str) -> Result<Filters, String> {
    // SAFETY: FFmpeg's library, which sets nothing up when it is loaded; what it needs itself are
    // libraries that any program links. It is never unloaded.
    let library = unsafe { Library::new(file) };
    library.and_then(Filters::of).map_err(|error| error.to_string())
}

/// The functions, for the filter `codec`. The first call loads them, which takes some 50 ms.
pub(super) fn filters(codec: &'static str) -> Result<&'static Filters, CodecError> {
    static LOADED: OnceLock<Result<Filters, String>> = OnceLock::new();
    let loaded = LOADED.get_or_init(|| load(&file()));
    loaded.as_ref().map_err(|why| CodecError::Library { codec, library: file(), why: why.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_not_there_is_told_by_its_name() {
        let why = load("libavfilter.so.0").err().unwrap();
        assert!(why.contains("libavfilter.so.0"), "{why}");
        let error = CodecError::Library { codec: "bwdif", library: "libavfilter.so.0".into(), why };
        let told = error.to_string();
        assert!(told.starts_with("bwdif needs libavfilter.so.0, which does not load: "), "{told}");
    }

    #[test]
    fn it_is_loaded_once() {
        let (one, other) = (filters("bwdif").unwrap(), filters("colorspace").unwrap());
        assert!(std::ptr::eq(one, other));
    }
}
