//! A chain of one of libavfilter's filters: pictures in by reference, pictures out.

use std::ffi::{CStr, CString};
use std::ptr::{self, NonNull};

use ffmpeg_next::ffi;
use media::{Size, Time};

use super::call::{self, Answer, FLICK, check, error};
use super::filters::{Filters, filters};
use super::frame::AvFrame;
use crate::error::{CodecError, Step};
use crate::picture::Picture;

/// The filter between a source and a sink, made for pictures of one size and format.
pub(super) struct FilterGraph {
    with: &'static Filters,
    graph: NonNull<ffi::AVFilterGraph>,
    name: &'static str,
    source: *mut ffi::AVFilterContext,
    sink: *mut ffi::AVFilterContext,
    size: Size,
    format: i32,
}

// SAFETY: a graph has no tie to a thread; only its owner calls into it, and
// it was told to have no threads of its own.
unsafe impl Send for FilterGraph {}

impl FilterGraph {
    /// For pictures like this one, with the filter's own options.
    pub(super) fn open(name: &'static str, like: &Picture, options: &str) -> Result<Self, CodecError> {
        call::quiet();
        let with = filters(name)?;
        let (size, format) = (like.size(), like.av().raw().format);
        // SAFETY: a plain constructor; null is checked.
        let graph = NonNull::new(unsafe { (with.avfilter_graph_alloc)() })
            .ok_or_else(|| error(name, Step::Allocate, None, -ffmpeg_next::error::ENOMEM))?;
        let (source, sink) = (ptr::null_mut(), ptr::null_mut());
        let mut this = Self { with, graph, name, source, sink, size, format };
        // SAFETY: the graph is live. One thread: the line has its own already.
        unsafe { (*graph.as_ptr()).nb_threads = 1 };
        let place = format!(
            "video_size={}x{}:pix_fmt={format}:time_base={}/{}:pixel_aspect=1/1",
            size.width, size.height, FLICK.num, FLICK.den
        );
        this.source = this.add("buffer", c"in", &place)?;
        let filter = this.add(name, c"filter", options)?;
        this.sink = this.add("buffersink", c"out", "")?;
        for (from, to) in [(this.source, filter), (filter, this.sink)] {
            // SAFETY: both belong to this graph, and each has one free pad.
            check(name, Step::Open, None, unsafe { (with.avfilter_link)(from, 0, to, 0) })?;
        }
        // SAFETY: the graph is complete.
        let code = unsafe { (with.avfilter_graph_config)(this.graph.as_ptr(), ptr::null_mut()) };
        check(name, Step::Open, None, code)?;
        Ok(this)
    }

    fn add(
        &mut self,
        filter: &'static str,
        name: &CStr,
        options: &str,
    ) -> Result<*mut ffi::AVFilterContext, CodecError> {
        let missing = CodecError::Unavailable { codec: filter };
        let (Ok(kind), Ok(options)) = (CString::new(filter), CString::new(options)) else {
            return Err(missing);
        };
        let mut context = ptr::null_mut();
        // SAFETY: the strings live through the calls, the graph is live, and a
        // filter that is not there is told apart before it is used.
        let code = unsafe {
            let kind = (self.with.avfilter_get_by_name)(kind.as_ptr());
            if kind.is_null() {
                return Err(missing);
            }
            (self.with.avfilter_graph_create_filter)(
                &raw mut context,
                kind,
                name.as_ptr(),
                options.as_ptr(),
                ptr::null_mut(),
                self.graph.as_ptr(),
            )
        };
        check(self.name, Step::Open, None, code)?;
        Ok(context)
    }

    /// Whether a picture is of the size and format the filter was made for.
    pub(super) fn fits(&self, picture: &Picture) -> bool {
        picture.size() == self.size && picture.av().raw().format == self.format
    }

    /// Hands in the next picture, by reference.
    pub(super) fn push(&mut self, picture: &Picture, pts: Time) -> Result<(), CodecError> {
        let mut frame = picture.av().another_ref()?;
        frame.raw_mut().pts = pts.flicks();
        // SAFETY: the source is configured; it takes the frame's references over.
        let code = unsafe { (self.with.av_buffersrc_add_frame)(self.source, frame.as_mut_ptr()) };
        check(self.name, Step::Filter, Some(pts), code).map(|_| ())
    }

    /// No more pictures: what is held back comes out.
    pub(super) fn end(&mut self) -> Result<(), CodecError> {
        // SAFETY: null is the sign for the end.
        let code = unsafe { (self.with.av_buffersrc_add_frame)(self.source, ptr::null_mut()) };
        check(self.name, Step::Flush, None, code).map(|_| ())
    }

    /// The next picture, if one is ready.
    pub(super) fn pull(&mut self) -> Result<Option<(Time, Picture)>, CodecError> {
        let mut frame = AvFrame::empty()?;
        // SAFETY: the sink is configured, the frame is empty and ours.
        let code = unsafe { (self.with.av_buffersink_get_frame)(self.sink, frame.as_mut_ptr()) };
        match call::answer(self.name, Step::Filter, None, code)? {
            Answer::Later | Answer::End => Ok(None),
            Answer::Done => {
                // SAFETY: the sink is configured.
                let base = unsafe { (self.with.av_buffersink_get_time_base)(self.sink) };
                // A filter may count in parts of flicks.
                let wide = i128::from(frame.raw().pts) * i128::from(base.num) * i128::from(FLICK.den);
                let flicks = wide.div_euclid(i128::from(base.den.max(1)));
                let pts = Time::from_flicks(i64::try_from(flicks).unwrap_or(0));
                Ok(Some((pts, Picture::from_av(frame))))
            }
        }
    }
}

impl Drop for FilterGraph {
    fn drop(&mut self) {
        let mut graph = self.graph.as_ptr();
        // SAFETY: ours; it frees its filters, which nobody uses after.
        unsafe { (self.with.avfilter_graph_free)(&raw mut graph) };
    }
}
