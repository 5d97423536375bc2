//! Calls into FFmpeg and what comes back: errors, contexts, packets.

use std::ffi::CString;
use std::ptr::{self, NonNull};
use std::sync::Once;

use ffmpeg_next::ffi;
use media::{FLICKS_PER_SECOND, Time};

use crate::error::{CodecError, Step};

/// FFmpeg's time base of one flick.
pub(super) const FLICK: ffi::AVRational = ffi::AVRational { num: 1, den: FLICKS_PER_SECOND as i32 };

/// Turns FFmpeg's log on stderr off, once: a damaged stream would flood it.
pub(super) fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Quiet));
}

/// FFmpeg's word for an error.
pub(super) fn text(code: i32) -> String {
    // Its words are fetched once; before that they are empty.
    static ONCE: Once = Once::new();
    ONCE.call_once(ffmpeg_next::util::error::register_all);
    ffmpeg_next::Error::from(code).to_string()
}

pub(super) fn error(codec: &'static str, step: Step, pts: Option<Time>, code: i32) -> CodecError {
    CodecError::Ffmpeg { codec, step, pts, code, text: text(code) }
}

/// `code` if it is not negative, else the error it stands for.
pub(super) fn check(
    codec: &'static str,
    step: Step,
    pts: Option<Time>,
    code: i32,
) -> Result<i32, CodecError> {
    if code < 0 { Err(error(codec, step, pts, code)) } else { Ok(code) }
}

pub(super) const EAGAIN: i32 = -ffmpeg_next::error::EAGAIN;

/// What a codec says when asked to take or to give.
pub(super) enum Answer {
    Done,
    Later,
    End,
}

pub(super) fn answer(
    codec: &'static str,
    step: Step,
    pts: Option<Time>,
    code: i32,
) -> Result<Answer, CodecError> {
    match code {
        EAGAIN => Ok(Answer::Later),
        ffi::AVERROR_EOF => Ok(Answer::End),
        code => check(codec, step, pts, code).map(|_| Answer::Done),
    }
}

/// A codec context that is freed with its owner.
pub(super) struct Context {
    ptr: NonNull<ffi::AVCodecContext>,
    pub(super) name: &'static str,
}

// SAFETY: FFmpeg's contexts have no tie to a thread; only their owner calls
// into them, and `Context` is not `Clone` and hands out no shared access.
unsafe impl Send for Context {}

impl Context {
    /// A context for the decoder of this name.
    pub(super) fn decoder(name: &'static str) -> Result<Self, CodecError> {
        quiet();
        let c_name = CString::new(name).map_err(|_| CodecError::Unavailable { codec: name })?;
        // SAFETY: `c_name` is a C string that lives through the call.
        let codec = unsafe { ffi::avcodec_find_decoder_by_name(c_name.as_ptr()) };
        Self::alloc(name, codec)
    }

    /// A context for the encoder of this name.
    pub(super) fn encoder(name: &'static str) -> Result<Self, CodecError> {
        quiet();
        let c_name = CString::new(name).map_err(|_| CodecError::Unavailable { codec: name })?;
        // SAFETY: as in `decoder`.
        let codec = unsafe { ffi::avcodec_find_encoder_by_name(c_name.as_ptr()) };
        Self::alloc(name, codec)
    }

    fn alloc(name: &'static str, codec: *const ffi::AVCodec) -> Result<Self, CodecError> {
        if codec.is_null() {
            return Err(CodecError::Unavailable { codec: name });
        }
        // SAFETY: `codec` is not null, so it is one of FFmpeg's static codecs.
        let ptr = unsafe { ffi::avcodec_alloc_context3(codec) };
        match NonNull::new(ptr) {
            Some(ptr) => Ok(Self { ptr, name }),
            None => Err(error(name, Step::Allocate, None, -ffmpeg_next::error::ENOMEM)),
        }
    }

    /// The fields, to read.
    pub(super) fn get(&self) -> &ffi::AVCodecContext {
        // SAFETY: `ptr` was allocated by FFmpeg and lives as long as `self`.
        unsafe { self.ptr.as_ref() }
    }
    /// The fields, to set.
    pub(super) fn get_mut(&mut self) -> &mut ffi::AVCodecContext {
        // SAFETY: as in `get`, and `self` is borrowed by one only.
        unsafe { self.ptr.as_mut() }
    }

    /// Sets the extradata, with the padding FFmpeg reads over.
    pub(super) fn set_extradata(&mut self, data: &[u8]) -> Result<(), CodecError> {
        if data.is_empty() {
            return Ok(());
        }
        let name = self.name;
        let len = i32::try_from(data.len()).ok().filter(|&len| len < 1 << 20).ok_or(CodecError::Setting {
            codec: name,
            name: "config",
            got: format!("{} bytes", data.len()),
            legal: "up to 1 MiB".into(),
        })?;
        let context = self.get_mut();
        // SAFETY: the new memory holds `len` bytes and the padding, is zeroed,
        // and belongs to the context, which frees it with `av_free`.
        unsafe {
            let room = ffi::av_mallocz(data.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize).cast::<u8>();
            if room.is_null() {
                return Err(error(name, Step::Allocate, None, -ffmpeg_next::error::ENOMEM));
            }
            ptr::copy_nonoverlapping(data.as_ptr(), room, data.len());
            ffi::av_free(context.extradata.cast());
            context.extradata = room;
        }
        context.extradata_size = len;
        Ok(())
    }

    /// The extradata the codec made.
    pub(super) fn extradata(&self) -> &[u8] {
        let context = self.get();
        match usize::try_from(context.extradata_size) {
            // SAFETY: FFmpeg keeps `extradata_size` bytes behind `extradata`.
            Ok(len) if len > 0 && !context.extradata.is_null() => unsafe {
                std::slice::from_raw_parts(context.extradata, len)
            },
            _ => &[],
        }
    }

    /// Opens the codec; an option it does not know is an error, where FFmpeg
    /// itself would only leave it in the dictionary.
    pub(super) fn open(&mut self, options: &[(&'static str, String)]) -> Result<(), CodecError> {
        let mut dict: *mut ffi::AVDictionary = ptr::null_mut();
        for (key, value) in options {
            let (Ok(c_key), Ok(c_value)) = (CString::new(*key), CString::new(value.as_str())) else {
                continue;
            };
            // SAFETY: both strings live through the call, which copies them.
            unsafe { ffi::av_dict_set(&raw mut dict, c_key.as_ptr(), c_value.as_ptr(), 0) };
        }
        // SAFETY: the context was made for its codec, so a null codec stands
        // for that one; `dict` is ours and is freed right after.
        let code = unsafe { ffi::avcodec_open2(self.ptr.as_ptr(), ptr::null(), &raw mut dict) };
        let mut left = Vec::new();
        for (key, value) in options {
            let Ok(c_key) = CString::new(*key) else { continue };
            // SAFETY: `dict` is a live dictionary or null, both are legal.
            let entry = unsafe { ffi::av_dict_get(dict, c_key.as_ptr(), ptr::null(), 0) };
            if !entry.is_null() {
                left.push((*key, value.clone()));
            }
        }
        // SAFETY: frees what is left; null is legal.
        unsafe { ffi::av_dict_free(&raw mut dict) };
        check(self.name, Step::Open, None, code)?;
        match left.pop() {
            Some((key, value)) => Err(CodecError::Setting {
                codec: self.name,
                name: key,
                got: value,
                legal: "an option this codec knows".into(),
            }),
            None => Ok(()),
        }
    }

    /// Whether the codec, still closed, has such an option and takes such a value.
    #[cfg(test)]
    pub(super) fn takes(&mut self, option: &str, value: &str) -> bool {
        let (Ok(option), Ok(value)) = (CString::new(option), CString::new(value)) else { return false };
        let own = self.get().priv_data;
        // SAFETY: a codec's private data begin with the class that its options are declared in; the
        // strings live through the call, which copies them.
        !own.is_null() && unsafe { ffi::av_opt_set(own, option.as_ptr(), value.as_ptr(), 0) } >= 0
    }

    pub(super) fn send_packet(&mut self, packet: Option<&AvPacket>) -> i32 {
        let packet = packet.map_or(ptr::null(), |p| p.0.as_ptr().cast_const());
        // SAFETY: the context is open; the packet is null (the end) or lives through the call.
        unsafe { ffi::avcodec_send_packet(self.ptr.as_ptr(), packet) }
    }
    pub(super) fn receive_frame(&mut self, frame: *mut ffi::AVFrame) -> i32 {
        // SAFETY: the context is open, and the callers give a live frame of theirs.
        unsafe { ffi::avcodec_receive_frame(self.ptr.as_ptr(), frame) }
    }
    pub(super) fn send_frame(&mut self, frame: *const ffi::AVFrame) -> i32 {
        // SAFETY: the context is open; the frame is null (the end) or live.
        unsafe { ffi::avcodec_send_frame(self.ptr.as_ptr(), frame) }
    }
    pub(super) fn receive_packet(&mut self, packet: &mut AvPacket) -> i32 {
        // SAFETY: the context is open, and the packet lives through the call.
        unsafe { ffi::avcodec_receive_packet(self.ptr.as_ptr(), packet.0.as_ptr()) }
    }
    /// Forgets everything held back; the codec is as new.
    pub(super) fn reset(&mut self) {
        // SAFETY: the context is open.
        unsafe { ffi::avcodec_flush_buffers(self.ptr.as_ptr()) }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let mut ptr = self.ptr.as_ptr();
        // SAFETY: allocated by `avcodec_alloc_context3`, freed only here.
        unsafe { ffi::avcodec_free_context(&raw mut ptr) };
    }
}

/// A packet that is freed with its owner.
pub(super) struct AvPacket(NonNull<ffi::AVPacket>);

// SAFETY: a packet is memory without a tie to a thread, used by its owner only.
unsafe impl Send for AvPacket {}

impl AvPacket {
    pub(super) fn new(codec: &'static str) -> Result<Self, CodecError> {
        // SAFETY: no preconditions; null is checked.
        NonNull::new(unsafe { ffi::av_packet_alloc() })
            .map(Self)
            .ok_or_else(|| error(codec, Step::Allocate, None, -ffmpeg_next::error::ENOMEM))
    }

    pub(super) fn get(&self) -> &ffi::AVPacket {
        // SAFETY: allocated by FFmpeg, lives as long as `self`.
        unsafe { self.0.as_ref() }
    }
    pub(super) fn get_mut(&mut self) -> &mut ffi::AVPacket {
        // SAFETY: as in `get`, borrowed by one only.
        unsafe { self.0.as_mut() }
    }

    /// Lets go of the old bytes and takes a padded copy of these (FFmpeg reads
    /// over the end, so a shared buffer cannot be lent as it is).
    pub(super) fn fill(&mut self, codec: &'static str, data: &[u8]) -> Result<(), CodecError> {
        self.clear();
        let len = i32::try_from(data.len()).unwrap_or(i32::MAX);
        // SAFETY: the packet is empty; on success its buffer holds `len` bytes.
        unsafe {
            check(codec, Step::Allocate, None, ffi::av_new_packet(self.0.as_ptr(), len))?;
            ptr::copy_nonoverlapping(data.as_ptr(), (*self.0.as_ptr()).data, data.len());
        }
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        // SAFETY: the packet is live; what it held is released.
        unsafe { ffi::av_packet_unref(self.0.as_ptr()) };
    }

    pub(super) fn data(&self) -> &[u8] {
        let packet = self.get();
        match usize::try_from(packet.size) {
            // SAFETY: FFmpeg keeps `size` bytes behind `data`.
            Ok(len) if len > 0 && !packet.data.is_null() => unsafe {
                std::slice::from_raw_parts(packet.data, len)
            },
            _ => &[],
        }
    }
}

impl Drop for AvPacket {
    fn drop(&mut self) {
        let mut ptr = self.0.as_ptr();
        // SAFETY: allocated by `av_packet_alloc`, freed only here.
        unsafe { ffi::av_packet_free(&raw mut ptr) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_in_words() {
        assert_eq!(text(ffi::AVERROR_INVALIDDATA), "Invalid data found when processing input");
    }
}
