//! What FFmpeg says in its log while something of it is opened: of devices it tells a number alone to
//! whoever calls, and the reason there.

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Once;

use ffmpeg_next::ffi;

/// Lines that are kept of one opening.
const MOST_LINES: usize = 4;
/// Bytes of a line.
const LONGEST: usize = 256;

thread_local! {
    /// What was said on this thread, while somebody listens.
    static HEARD: RefCell<Option<Heard>> = const { RefCell::new(None) };
}

/// What was said, each line once.
#[derive(Default)]
struct Heard {
    /// The first errors, which tell most.
    errors: Vec<String>,
    /// The last of what else is told, which is all there is of some: of VA-API's devices FFmpeg
    /// calls nothing an error.
    steps: Vec<String>,
}

impl Heard {
    fn take_down(&mut self, level: c_int, line: &str) {
        let lines = if level <= ffi::AV_LOG_ERROR { &mut self.errors } else { &mut self.steps };
        if line.is_empty() || lines.iter().any(|before| before == line) {
            return;
        }
        if lines.len() == MOST_LINES {
            if level <= ffi::AV_LOG_ERROR {
                return;
            }
            lines.remove(0);
        }
        lines.push(line.to_owned());
    }

    fn lines(self) -> Vec<String> {
        if self.errors.is_empty() { self.steps } else { self.errors }
    }
}

/// C's `va_list` as a parameter: it is one pointer, or as large as one, on every machine that FFmpeg
/// has device encoders for, whatever type the bindings give it there.
type Arguments = *mut c_void;

type Listener = unsafe extern "C" fn(*mut c_void, c_int, *const c_char, Arguments);
type LineMaker = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    *const c_char,
    Arguments,
    *mut c_char,
    c_int,
    *mut c_int,
) -> c_int;

/// Does `open`, and gives what FFmpeg had to say meanwhile, on this thread: a few lines of errors, or of
/// what it did if it called nothing an error. Elsewhere its log stays as it was.
pub(super) fn heard<T>(open: impl FnOnce() -> T) -> (T, Vec<String>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let listener: Listener = listen;
        // SAFETY: both types are pointers to functions of four parameters that are passed alike (see
        // `Arguments`). FFmpeg keeps the pointer for as long as the process lives, as the function does;
        // a thread that logs at this moment calls the old one or the new one.
        #[allow(
            clippy::missing_transmute_annotations,
            reason = "what the bindings call it depends on the machine"
        )]
        unsafe {
            ffi::av_log_set_callback(Some(std::mem::transmute::<Listener, _>(listener)));
        }
    });
    HEARD.set(Some(Heard::default()));
    let done = open();
    (done, HEARD.take().unwrap_or_default().lines())
}

/// FFmpeg's callback: takes down what is heard here, and leaves all else to FFmpeg's own.
unsafe extern "C" fn listen(of: *mut c_void, level: c_int, format: *const c_char, arguments: Arguments) {
    // A thread that ends has nowhere to keep anything.
    let listens = HEARD.try_with(|heard| heard.borrow().is_some()).unwrap_or(false);
    if !listens {
        // SAFETY: it takes what FFmpeg gave, as it was given; of the types see `Arguments`.
        unsafe {
            let usual = ffi::av_log_default_callback as *const ();
            std::mem::transmute::<*const (), Listener>(usual)(of, level, format, arguments);
        }
        return;
    }
    // The upper bytes are a colour.
    let level = level & 0xff;
    if level > ffi::AV_LOG_VERBOSE {
        return;
    }
    let mut line: [c_char; LONGEST] = [0; LONGEST];
    // Without the address of whoever speaks.
    let mut prefix = 0;
    // SAFETY: as above; the line has room for as many bytes as it says, and FFmpeg ends it with a zero.
    let text = unsafe {
        let make = ffi::av_log_format_line2 as *const ();
        let make = std::mem::transmute::<*const (), LineMaker>(make);
        make(of, level, format, arguments, line.as_mut_ptr(), LONGEST as c_int, &raw mut prefix);
        CStr::from_ptr(line.as_ptr()).to_string_lossy()
    };
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = text.trim().trim_end_matches('.');
    let _ = HEARD.try_with(|heard| {
        if let Some(heard) = heard.borrow_mut().as_mut() {
            heard.take_down(level, text);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(level: c_int, what: &CStr) {
        // SAFETY: nobody in particular speaks; the format takes one string and one number.
        unsafe {
            ffi::av_log(std::ptr::null_mut(), level, c"Cannot load %s (%d).\n".as_ptr(), what.as_ptr(), 7);
        }
    }

    #[test]
    fn errors_are_heard_while_somebody_listens_on_this_thread() {
        let (done, lines) = heard(|| {
            say(ffi::AV_LOG_ERROR, c"libcuda.so.1");
            say(ffi::AV_LOG_VERBOSE, c"a step");
            say(ffi::AV_LOG_ERROR, c"libcuda.so.1");
            say(ffi::AV_LOG_FATAL, c"a\tdriver");
            std::thread::spawn(|| say(ffi::AV_LOG_ERROR, c"somebody else's")).join().unwrap();
            9
        });
        assert_eq!(
            (done, lines),
            (9, vec!["Cannot load libcuda.so.1 (7)".into(), "Cannot load a driver (7)".into()])
        );
        say(ffi::AV_LOG_ERROR, c"nobody's");
        assert_eq!(heard(|| ()).1, Vec::<String>::new());
    }

    #[test]
    fn where_nothing_is_called_an_error_the_last_steps_are_told() {
        let ((), lines) = heard(|| {
            for step in [c"one", c"two", c"three", c"four", c"five", c"five"] {
                say(ffi::AV_LOG_VERBOSE, step);
            }
            say(ffi::AV_LOG_DEBUG, c"a detail");
        });
        assert_eq!(lines, ["two", "three", "four", "five"].map(|step| format!("Cannot load {step} (7)")));
    }

    #[test]
    fn what_is_said_has_a_bound() {
        let long = "x".repeat(10_000);
        let ((), lines) = heard(|| {
            for n in 0..1_000 {
                say(ffi::AV_LOG_ERROR, &std::ffi::CString::new(format!("{n}{long}")).unwrap());
            }
        });
        assert_eq!(lines.len(), MOST_LINES);
        assert!(lines.iter().all(|line| line.len() < LONGEST), "{lines:?}");
    }
}
