// What the course adds to JupyterLab in a browser tab. Written as JupyterLab loads it, so that no build step is needed.
"use strict";
(() => {
  // Runs in every new kernel while the student reads: the first cell then finds the packages loaded. Without the folder of
  // the notebook on the path, since each look into it asks the page.
  const WARM_UP = `
import sys
_folders, sys.path = sys.path, [folder for folder in sys.path if folder]
import dlcourse.explorers, autograder
sys.path = _folders
del _folders
`;
  const NOT_KEPT =
    "This browser keeps nothing of this page (perhaps a private window). Download your work before you close the tab.";
  const PROGRESS_NOT_KEPT =
    "This browser does not let Python write files here (perhaps a private window): answers are kept, points are not.";

  const isAssignment = (path) => /^assignments\/.+\.ipynb$/.test(path);

  function download(name, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/x-ipynb+json" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  /** The notebook as it was laid out by the course; null for one that the student made. */
  async function released(path) {
    const answer = await fetch(new URL(`../files/${path}`, window.location.href));
    return answer.ok ? answer.json() : null;
  }

  /** The bytes to hand in: as saved, with the kernel that the course names; this tab's kernel is nowhere else. */
  function handedIn(notebook, original) {
    const metadata = { ...notebook.metadata };
    if (original) {
      metadata.kernelspec = original.metadata.kernelspec;
      metadata.language_info = original.metadata.language_info;
    }
    return JSON.stringify({ ...notebook, metadata }, null, 1) + "\n";
  }

  async function storageWorks() {
    try {
      await new Promise((resolve, reject) => {
        const asked = indexedDB.open("dlcourse-probe");
        asked.onsuccess = () => {
          asked.result.close();
          indexedDB.deleteDatabase("dlcourse-probe");
          resolve();
        };
        asked.onerror = asked.onblocked = reject;
      });
      return true;
    } catch {
      return false;
    }
  }

  function activate(app) {
    const { commands, shell } = app;
    const notebook = () => (shell.currentWidget?.content?.model?.toJSON?.().cells ? shell.currentWidget : null);
    const path = () => notebook()?.context.path ?? "";
    const tell = (message, type) =>
      commands.execute("apputils:notify", { message, type, options: { autoClose: type === "warning" ? false : 8000 } });

    commands.addCommand("dlcourse:hand-in", {
      label: "Hand in",
      caption: "Download the notebook as your instructor takes it",
      isVisible: () => isAssignment(path()),
      execute: async () => {
        const { context, content } = notebook();
        await context.save();
        const name = context.path.split("/").pop();
        download(name, handedIn(content.model.toJSON(), await released(context.path)));
        tell(`${name} is in your downloads. Hand in this file, under this name, where your instructor collects it.`, "info");
      },
    });

    commands.addCommand("dlcourse:start-again", {
      label: "Start again",
      caption: "Replace this notebook by the course's own",
      isEnabled: () => notebook() !== null,
      execute: async () => {
        const { context } = notebook();
        if ((await released(context.path)) === null) {
          tell(`${context.path} is yours, not the course's: there is nothing to start again from.`, "info");
        } else if (window.confirm(`Start ${context.path} again? Everything that you wrote in it is lost.`)) {
          await app.serviceManager.contents.delete(context.path);
          await context.revert();
        }
      },
    });

    shell.currentChanged?.connect(() => commands.notifyCommandChanged("dlcourse:hand-in"));

    // Every new kernel is warmed up once
    const warm = new Set();
    app.serviceManager.sessions.runningChanged.connect((_, sessions) => {
      for (const { kernel } of sessions) {
        if (kernel && !warm.has(kernel.id)) {
          warm.add(kernel.id);
          // The notebook's own connection has to be the one that answers widgets
          const connection = app.serviceManager.kernels.connectTo({ model: kernel, handleComms: false });
          connection
            .requestExecute({ code: WARM_UP, silent: true, store_history: false })
            .done.then(() => navigator.serviceWorker?.controller?.postMessage("keep the rest"))
            .finally(() => connection.dispose());
        }
      }
    });

    app.restored.then(async () => {
      if (!(await storageWorks())) {
        tell(NOT_KEPT, "warning");
      } else if (!navigator.serviceWorker) {
        tell(PROGRESS_NOT_KEPT, "warning");
      }
      // A browser that runs out of space then asks before it throws work away
      navigator.storage?.persist?.();
    });
  }

  const plugin = { id: "dlcourse-lite:plugin", autoStart: true, activate };
  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB["dlcourse-lite"] = {
    init: () => {},
    get: async () => () => ({ __esModule: true, default: plugin }),
  };
})();
