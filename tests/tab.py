"""A browser tab with the course in it: a server, a proxy that no host may pass, a page, and what a test does there."""

import contextlib
import functools
import http.server
import socket
import threading
import time

# Runs code in the kernel of the notebook that is open; gives {"text": all that is shown, "error": ""}
RUN = """
async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const said = { text: "", error: "" };
  const asked = kernel.requestExecute({ code, stop_on_error: false });
  asked.onIOPub = ({ header, content }) => {
    if (header.msg_type === "stream") said.text += content.text;
    if (header.msg_type === "error") said.error += `${content.ename}: ${content.evalue}`;
    if (content.data) said.text += content.data["text/plain"] ?? "";
  };
  const reply = await asked.done;
  if (reply.content.status === "error" && !said.error) said.error = `${reply.content.ename}: ${reply.content.evalue}`;
  return said;
}
"""
WRITE = """
([id, source]) => {
  const cells = window.jupyterapp.shell.currentWidget.content.model.cells;
  for (let k = 0; k < cells.length; k++) {
    if (cells.get(k).getMetadata("nbgrader")?.grade_id === id) cells.get(k).sharedModel.setSource(source);
  }
}
"""
# Only what is near the window is in the page
SHOW = """
(what) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  const found = ({ model }) => model.getMetadata("nbgrader")?.grade_id === what || model.sharedModel.source === what;
  return content.scrollToItem([...content.widgets].findIndex(found), "start");
}
"""
BELOW = """
async (what) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  content.activeCellIndex = 1 + content.widgets.findIndex(({ model }) => model.getMetadata("nbgrader")?.grade_id === what);
  await window.jupyterapp.commands.execute("notebook:run-all-below");
}
"""
SOURCES = "() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells.map((one) => one.source)"


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder that holds the site as `lite`, as people publish it, and counts bytes.

    rate : bytes in a second, of all answers together; None: as fast as it can. working : False: answers nothing any more.
    """

    daemon_threads = True

    def __init__(self, folder, rate=None):
        self.sent, self.working, self.rate, self.free, self.lock = {}, True, rate, 0.0, threading.Lock()
        super().__init__(("127.0.0.1", 0), functools.partial(_Handler, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.server_address[1]}/lite/"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def line_takes(self, size):
        """Wait until the line has carried so many bytes more."""
        if self.rate:
            with self.lock:
                self.free = max(self.free, time.monotonic()) + size / self.rate
                until = self.free
            time.sleep(max(0.0, until - time.monotonic()))


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass

    def do_GET(self):
        if not self.server.working:
            self.close_connection = True
            return
        with contextlib.suppress(ConnectionError):
            super().do_GET()

    def copyfile(self, source, outputfile):
        self.server.sent[self.path] = 0
        while data := source.read(1 << 16):
            self.server.line_takes(len(data))
            self.server.sent[self.path] += len(data)
            outputfile.write(data)


class Elsewhere(threading.Thread):
    """A proxy for every host but this machine: it writes down who is asked for, and refuses."""

    def __init__(self):
        super().__init__(daemon=True)
        self.asked, self.socket = [], socket.create_server(("127.0.0.1", 0))
        self.flag = f"--proxy-server=127.0.0.1:{self.socket.getsockname()[1]}"
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(5)
                    self.asked.append(connection.recv(4096).split(b"\r\n")[0].decode("latin-1"))
                    connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")


@contextlib.contextmanager
def tab(profile, chromium, flags):
    """A page in a browser that keeps in the folder `profile` what it is given, as a visitor's does."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            str(profile), executable_path=chromium, args=flags, viewport={"width": 1300, "height": 900}
        )
        page = context.pages[0]
        page.set_default_timeout(180_000)
        yield page
        context.close()


def open_notebook(page, address, path):
    """Open it as a link of the site does, and wait for its kernel."""
    page.goto(f"{address}index.html?path={path}")
    page.wait_for_function("path => window.jupyterapp?.shell.currentWidget?.context?.path === path", arg=path)
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"
    )


def run(page, code):
    return page.evaluate(RUN, code)


def run_all(page):
    """Run every cell as the menu does, to the end or to the first that fails."""
    page.evaluate("async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells') }")


def run_below(page, cell):
    """Run what stands below the cell with that name, as the menu does."""
    page.evaluate(BELOW, cell)


def write(page, grade_id, source):
    """Put the source into the cell of that name of the notebook that is open."""
    page.evaluate(WRITE, [grade_id, source])


def show(page, cell):
    """Bring the cell with that name, or with that source, into the window."""
    page.evaluate(SHOW, cell)
