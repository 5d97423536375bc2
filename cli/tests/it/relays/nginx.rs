//! Debian's nginx with nginx-rtmp, on free ports in a folder of its own.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use super::tool::{Tool, quiet, wait_until};

/// Where distributions put its modules.
const MODULES: [&str; 2] = ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules"];
/// A user's path may lack the second.
const PROGRAMS: [&str; 3] = ["/usr/bin/nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"];

/// The program and this module of it; `None`, and a word why, where they are not installed and
/// setting up does not install them.
pub fn installed(module: &str) -> Option<(&'static str, String)> {
    let program = PROGRAMS.into_iter().find(|path| Path::new(path).exists());
    let mut modules = MODULES.into_iter().map(|folder| format!("{folder}/{module}"));
    let found = program.zip(modules.find(|path| Path::new(path).exists()));
    if found.is_none() {
        let must = std::env::var_os("CI").is_some() || Path::new("/usr/bin/apt-get").exists();
        assert!(!must, "nginx with {module} is missing: `make setup` installs it");
        eprintln!("SKIPPED: nginx with {module} is not installed here");
    }
    found
}

/// An application of [`Nginx`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum App {
    /// `live on; meta copy; hls on`: nginx-rtmp keeps no GOP, a late joiner gets sound at once and
    /// pictures from the next key frame on.
    Live,
    /// `wait_key off`: a late joiner gets whatever comes next.
    Abrupt,
    /// What is played here is pulled from elsewhere, see [`Nginx::pulling`].
    Fetched,
}

impl App {
    fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Abrupt => "abrupt",
            Self::Fetched => "fetched",
        }
    }
}

pub struct Nginx {
    process: Option<Tool>,
    program: &'static str,
    folder: PathBuf,
    rtmp: u16,
    http: u16,
}

impl Nginx {
    /// Starts it; `None`, and a word why, where it is not installed and setting up does not install it.
    pub fn start(folder: &Path) -> Option<Self> {
        Self::pulling(folder, &[])
    }

    /// As [`start`](Self::start); who plays one of these names in [`App::Fetched`] has nginx fetch it
    /// from the address beside it.
    pub fn pulling(folder: &Path, pulls: &[(String, String)]) -> Option<Self> {
        let (program, module) = installed("ngx_rtmp_module.so")?;
        // Another process may take a free port before nginx does.
        (0..5).find_map(|_| Self::attempt(folder, program, &module, pulls)).or_else(|| {
            let log = fs::read_to_string(folder.join("nginx/error.log")).unwrap_or_default();
            panic!("nginx does not start: {log}")
        })
    }

    fn attempt(
        folder: &Path,
        program: &'static str,
        module: &str,
        pulls: &[(String, String)],
    ) -> Option<Self> {
        let folder = folder.join("nginx");
        fs::create_dir_all(folder.join("hls")).unwrap();
        let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [rtmp, http] = held.each_ref().map(|held| held.local_addr().unwrap().port());
        drop(held);
        fs::write(folder.join("nginx.conf"), config(module, rtmp, http, pulls)).unwrap();
        let mut nginx = Self { process: None, program, folder, rtmp, http };
        nginx.listens().then_some(nginx)
    }

    /// Runs it and waits until it listens; not, if it ends before.
    fn listens(&mut self) -> bool {
        let prefix = format!("{}/", self.folder.display());
        let args = ["-p", &prefix, "-c", "nginx.conf", "-e", "error.log"];
        let mut process = Tool::spawn("nginx", &mut quiet(&self.folder, self.program, &args));
        let mut is_up = false;
        wait_until("nginx to listen", || {
            is_up = stat(self.http).is_some();
            is_up || process.status().is_some()
        });
        self.process = Some(process);
        is_up
    }

    /// Kills it.
    pub fn die(&mut self) {
        self.process = None;
    }

    /// Starts it again where it was.
    pub fn come_back(&mut self) {
        wait_until("nginx to come back", || self.listens());
    }

    /// Where the stream of this name is published and played.
    pub fn stream(&self, app: App, name: &str) -> String {
        format!("rtmp://127.0.0.1:{}/{}/{name}", self.rtmp, app.name())
    }

    /// Where the stream `show` is published and played.
    pub fn url(&self, app: App) -> String {
        self.stream(app, "show")
    }

    /// Where its web server is.
    pub fn web(&self) -> String {
        format!("127.0.0.1:{}", self.http)
    }

    /// Puts a file where `/files/NAME` is served from.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        fs::create_dir_all(self.folder.join("files")).unwrap();
        fs::write(self.folder.join("files").join(name), bytes).unwrap();
    }

    /// Publishers and players on this application's stream.
    pub fn clients(&self, app: App) -> usize {
        let stat = stat(self.http).unwrap();
        let start = stat.find(&format!("<name>{}</name>", app.name())).unwrap();
        let end = start + stat[start..].find("</application>").unwrap();
        stat[start..end].matches("<client>").count()
    }

    /// How many seconds of HLS there are.
    pub fn hls_seconds(&self) -> f64 {
        let list = fs::read_to_string(self.folder.join("hls/show.m3u8")).unwrap_or_default();
        let lines = list.lines().filter_map(|line| line.strip_prefix("#EXTINF:"));
        lines.map(|line| line.trim_end_matches(',').parse::<f64>().unwrap()).sum()
    }

    /// The playlist, closed: nginx leaves it open, for a publisher may come back. The name is from
    /// the folder that it was started in.
    pub fn closed_playlist(&self) -> &'static str {
        let list = fs::read_to_string(self.folder.join("hls/show.m3u8")).unwrap();
        fs::write(self.folder.join("hls/closed.m3u8"), list + "#EXT-X-ENDLIST\n").unwrap();
        "nginx/hls/closed.m3u8"
    }
}

/// What its status page says.
fn stat(http: u16) -> Option<String> {
    ureq::get(format!("http://127.0.0.1:{http}/")).call().ok()?.body_mut().read_to_string().ok()
}

/// `out_queue` holds a whole film, so that no busy machine makes nginx drop frames. `meta copy` is for
/// what is published alone: of what is pulled it copies the metadata without its name.
fn config(module: &str, rtmp: u16, http: u16, pulls: &[(String, String)]) -> String {
    let pulls: String = pulls.iter().map(|(name, url)| format!("pull {url} name={name}; ")).collect();
    format!(
        "load_module {module};
daemon off; master_process off; pid nginx.pid; error_log error.log info;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{ listen 127.0.0.1:{http}; location / {{ rtmp_stat all; }} location /files/ {{ root .; }} }}
}}
rtmp {{
  access_log off; out_queue 4096;
  server {{
    listen 127.0.0.1:{rtmp};
    application live {{
      live on; meta copy; publish_notify on;
      hls on; hls_path hls; hls_fragment 1s; hls_playlist_length 60s; hls_cleanup off;
    }}
    application abrupt {{ live on; meta copy; publish_notify on; wait_key off; }}
    application fetched {{ live on; {pulls}}}
  }}
}}
"
    )
}
