// A list that this phone keeps under a name until it is empty; for as long as the page where the browser keeps nothing.

export function storedList(place) {
  let memory = null;
  return {
    all() {
      if (memory) return memory;
      try {
        return JSON.parse(localStorage.getItem(place)) ?? [];
      } catch {
        return [];
      }
    },
    write(list) {
      try {
        if (list.length) localStorage.setItem(place, JSON.stringify(list));
        else localStorage.removeItem(place);
        memory = null;
      } catch {
        memory = list;
      }
    },
  };
}
