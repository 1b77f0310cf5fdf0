/** Who is buying, if they said so: only the server's ticket and the masked CPF. A ticket is stored with an order while that is being placed. */

class Guest {
  /** Stands for the CPF at one checkout of this totem, for ten minutes. @type {string|null} */
  ticket = null;
  /** Such as "***.982.247-**". @type {string|null} */
  cpf = null;

  identify({ customer, cpf }) {
    this.ticket = customer;
    this.cpf = cpf;
  }

  forget() {
    this.ticket = null;
    this.cpf = null;
  }
}

export const guest = new Guest();
